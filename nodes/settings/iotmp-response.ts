import { nodeSettings } from './setting';

/** The `iotmp-response` node has nothing to set but its name: the message says which call it answers. */
export const responseTable = nodeSettings('iotmp-response', {});
