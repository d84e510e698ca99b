import type { NodeAPI } from 'node-red';

/** Statuses and errors of all nodes are kept with the server's texts. */
const NAMESPACE = '@open-iotmp/node-red-iotmp/iotmp-server:';

/** A text for people, in the language of the runtime. `count` picks the plural form. */
export function translate(
  RED: NodeAPI,
  key: string,
  parameters: Readonly<Record<string, string | number>> = {},
): string {
  return RED._(NAMESPACE + key, { ...parameters });
}
