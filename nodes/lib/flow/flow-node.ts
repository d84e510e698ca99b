import type { Node, NodeAPI } from 'node-red';
import { errorText, guarded, IotmpError, warnProcess, type FaultHandler } from '../../../src';
import { linkProperties } from '../../settings/shared';
import { findLinkNode, type Link, type LinkState } from './link';
import { FlowsStarted } from '../red/flows-started';
import { nodeError, statusReason } from '../red/node-error';
import { nodeHandler } from '../red/node-handler';
import { StatusReporter } from '../red/status-reporter';
import { translate } from '../red/translate';

/** The link, the status and the clean-up of a working flow node. */
export interface FlowNodeContext {
  readonly link: Link;
  readonly status: StatusReporter;
  /** Adds a clean-up that runs when the node closes, before its link is released. */
  readonly onClose: (cleanUp: () => void) => unknown;
}

/**
 * Sets up a flow node: finds its config node and runs `start` with it. If the config node is missing or `start` throws,
 * the node gets a red status and a line in the log, and has no effect. If another node has the same name, `start` runs
 * again after each deploy until the name is free.
 */
export function setUpFlowNode(
  RED: NodeAPI,
  node: Node,
  config: object,
  start: (context: FlowNodeContext) => void,
): void {
  const status = new StatusReporter(node);
  const cleanUps: (() => void)[] = [() => status.close()];
  const onClose = (cleanUp: () => void): unknown => cleanUps.push(cleanUp);
  const onFault = (error: unknown): void => node.error(errorText(error));
  const closeAll = (): void => {
    for (const cleanUp of cleanUps.reverse()) guarded('flow node clean-up', onFault, cleanUp)();
  };
  node.on('close', guarded('flow node close', onFault, closeAll));
  const linkNode = findLinkNode(RED, config);
  if (linkNode === undefined) {
    const missing = linkProperties.via.read(config, 'via') === 'client' ? 'noClient' : 'noServer';
    const error = new IotmpError('IOTMP_ERR_CONFIG', translate(RED, `errors.${missing}`));
    refuse(node, status, error, translate(RED, `status.${missing}`));
    return;
  }
  linkNode.register(node);
  onClose(() => linkNode.deregister(node));
  const context = { link: linkNode.link, status, onClose };
  try {
    start(context);
  } catch (error) {
    if (!isConflict(error)) {
      refuse(node, status, error, statusReason(error));
      return;
    }
    const takeBack = refuse(node, status, error, translate(RED, 'status.nameInUse'));
    const attempt = (): void => {
      start(context);
      takeBack();
    };
    onClose(retryAfterDeploys(RED, onFault, attempt));
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof IotmpError && error.code === 'IOTMP_ERR_CONFLICT';
}

/** Runs an action after each deploy until it meets no conflict. Returns a function that ends this. */
function retryAfterDeploys(RED: NodeAPI, onFault: FaultHandler, attempt: () => void): () => void {
  const retry = guarded('flow node retry', onFault, () => {
    try {
      attempt();
      end();
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  });
  const end = FlowsStarted.of(RED).watch(retry);
  return end;
}

/** Shows the state of the link, now and after each change. */
export function followLink({ link, status, onClose }: FlowNodeContext): void {
  showLink(status, link.state);
  onClose(link.watch((state) => showLink(status, state)));
}

/** Shows a state of the link as the status of a node. */
export function showLink(status: StatusReporter, state: LinkState): void {
  if (state.kind === 'up') status.green(state.text);
  else if (state.kind === 'waiting') status.yellow(state.text);
  else if (state.kind === 'off') status.grey(state.text);
  else status.red(state.text);
}

/**
 * Reports the error of a node that cannot work, in the editor and in the log, and answers every message with the error.
 * Returns a function that ends the answers.
 */
function refuse(node: Node, status: StatusReporter, cause: unknown, text: string): () => void {
  const error = nodeError(cause);
  const answer = nodeHandler(
    'refused node input',
    warnProcess,
    (_message: unknown, _send: unknown, done: (error: Error) => void) => done(error),
  );
  status.red(text);
  node.error(error.message);
  node.on('input', answer);
  return () => node.removeListener('input', answer);
}
