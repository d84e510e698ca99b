import type { Node, NodeAPI } from 'node-red';

/**
 * Gives the values of environment variables as core fills them into the properties of a node: of its flow and of what that
 * is in, then of the process. Values that are no texts become texts.
 */
export function nodeVariables(RED: NodeAPI, node: Node): (name: string) => string | undefined {
  return (name) => {
    const value: unknown = RED.util.getSetting(node, name);
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  };
}
