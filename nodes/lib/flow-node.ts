import type { Node, NodeAPI } from 'node-red';
import { findLinkNode, type Link, type LinkSettings, type LinkState } from './link';
import { nodeError } from './node-error';
import { StatusReporter } from './status-reporter';
import { translate } from './translate';

/** What a flow node has while it works: its link, its status, and what to do when it closes. */
export interface FlowNodeContext {
  readonly link: Link;
  readonly status: StatusReporter;
  /** Runs when the node closes, before its link is let go. */
  readonly onClose: (cleanUp: () => void) => void;
}

/**
 * Sets up a flow node: finds its config node and runs `start` with it. A node that is not configured or whose
 * `start` throws gets a red status and a line in the log, and stays without effect.
 */
export function setUpFlowNode(
  RED: NodeAPI,
  node: Node,
  config: LinkSettings,
  start: (context: FlowNodeContext) => void,
): void {
  const status = new StatusReporter(node);
  const cleanUps: (() => void)[] = [() => status.close()];
  node.on('close', (removed: boolean, done: () => void) => {
    for (const cleanUp of cleanUps.reverse()) cleanUp();
    release?.(removed);
    done();
  });
  let release: ((removed: boolean) => void) | undefined;
  try {
    const linkNode = findLinkNode(RED, config);
    linkNode.register(node);
    release = (removed) => linkNode.deregister(node, removed);
    start({ link: linkNode.link, status, onClose: (cleanUp) => cleanUps.push(cleanUp) });
  } catch (error) {
    refuse(RED, node, status, error);
  }
}

/** Shows how the link stands, now and with each change. */
export function followLink({ link, status, onClose }: FlowNodeContext): void {
  showLink(status, link.state);
  onClose(link.watch((state) => showLink(status, state)));
}

/** Shows a state of the link as a node's status. */
export function showLink(status: StatusReporter, state: LinkState): void {
  if (state.kind === 'up') status.green(state.text);
  else if (state.kind === 'waiting') status.yellow(state.text);
  else if (state.kind === 'off') status.grey(state.text);
  else status.red(state.text);
}

/** A node that cannot work says why, in the editor and in the log, and answers every message with it. */
function refuse(RED: NodeAPI, node: Node, status: StatusReporter, cause: unknown): void {
  const error = nodeError(cause);
  status.red(translate(RED, shortReason(error)));
  node.error(error.message);
  node.on('input', (_message, _send, done) => done(error));
}

function shortReason(error: Error): string {
  if ('code' in error && error.code === 'IOTMP_ERR_CONFLICT') return 'status.nameInUse';
  return 'status.invalid';
}
