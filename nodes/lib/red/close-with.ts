import type { Node } from 'node-red';
import { errorText, detached } from '../../../src';
import { nodeHandler } from './node-handler';

/**
 * Ends what belongs to a node when the node closes. Node-RED waits for it, also where it fails, which is a line in the
 * log.
 * @param end gets whether the node is gone for good, and not made anew by a deploy
 */
export function closeWith(node: Node, end: (removed: boolean) => Promise<void>): void {
  const onFault = (error: unknown): void => node.error(errorText(error));
  const close = async (removed: boolean, done: () => void): Promise<void> => {
    try {
      await end(removed);
    } catch (error) {
      onFault(error);
    }
    done();
  };
  const onClose = nodeHandler('node close', onFault, (removed: boolean, done: () => void) => {
    detached('node closed', onFault, close(removed, done));
  });
  node.on('close', onClose);
}
