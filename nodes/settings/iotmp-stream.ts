import { MAX_INTERVAL_MS } from '../../src';
import { toggle, whole } from './kinds';
import { nodeSettings } from './setting';
import { linkProperties, targetProperties } from './shared';

/** Settings of the `iotmp-stream` node. An interval of 0 is a stream of events. */
export const streamTable = nodeSettings('iotmp-stream', {
  ...linkProperties,
  ...targetProperties,
  interval: whole({ unit: 'ms', default: 0, min: 0, max: MAX_INTERVAL_MS }),
  autostart: toggle({ default: true }),
});
