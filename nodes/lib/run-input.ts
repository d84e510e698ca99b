import type { Node, NodeMessage, NodeMessageInFlow } from 'node-red';
import { nodeError } from './node-error';

/** Sends messages out of a node, as part of handling the one that came in. */
export type Send = (message: NodeMessage | NodeMessage[]) => void;

/**
 * Handles the messages of a node with a function that may be asynchronous. Each message is done exactly once; what the
 * function throws goes to Catch nodes. Node-RED would exit on a rejection that nobody handles.
 */
export function onInput(
  node: Node,
  handle: (message: NodeMessageInFlow, send: Send) => Promise<void> | void,
): void {
  node.on('input', (message, send, done) => {
    const run = async (): Promise<void> => handle(message, send);
    run().then(
      () => done(),
      (error: unknown) => done(nodeError(error)),
    );
  });
}
