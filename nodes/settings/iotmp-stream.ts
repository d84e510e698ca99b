import { MAX_INTERVAL_MS } from '../../src';
import { autoWhole, toggle } from './kinds';
import { nodeSettings } from './setting';
import { linkProperties, targetProperties } from './shared';

/**
 * Settings of the `iotmp-stream` node. An interval of 0 is a stream of the device's own events. Where it is blank, an output
 * is sampled each second, and anything else sends its own events.
 */
export const streamTable = nodeSettings('iotmp-stream', {
  ...linkProperties,
  ...targetProperties,
  interval: autoWhole({ unit: 'ms', min: 0, max: MAX_INTERVAL_MS }),
  autostart: toggle({ default: true }),
});
