import type { Node, NodeMessage, NodeMessageInFlow } from 'node-red';
import { errorText, guarded } from '../../../src';
import { nodeError } from '../red/node-error';
import { nodeHandler } from '../red/node-handler';

/** Sends messages out of a node, as part of handling the one that came in. */
export type Send = (message: NodeMessage | NodeMessage[]) => void;

/** Tells Node-RED that a message is done, or why it could not be. */
type Done = (error?: Error) => void;

/**
 * Handles the messages of a node with a function that may be asynchronous. Each message is done exactly once; what the
 * function throws goes to Catch nodes. Node-RED would exit on a rejection that nobody handles.
 */
export function onInput(
  node: Node,
  handle: (message: NodeMessageInFlow, send: Send) => Promise<void> | void,
): void {
  const onFault = (error: unknown): void => node.error(errorText(error));
  const take = (message: NodeMessageInFlow, send: Send, done: Done): void => {
    const run = async (): Promise<void> => handle(message, send);
    run().then(
      guarded('node input done', onFault, () => done()),
      guarded('node input failed', onFault, (error: unknown) => done(nodeError(error))),
    );
  };
  node.on('input', nodeHandler('node input', onFault, take));
}
