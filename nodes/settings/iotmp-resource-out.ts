import { json, typed } from './kinds';
import { nodeSettings } from './setting';
import { hostedResource, linkProperties } from './shared';

/** Settings of the `iotmp-resource-out` node. */
export const resourceOutTable = nodeSettings('iotmp-resource-out', {
  ...linkProperties,
  resource: hostedResource('resource'),
  value: typed({ default: 'payload', defaultType: 'msg', check: 'typed' }),
  initial: json(),
});
