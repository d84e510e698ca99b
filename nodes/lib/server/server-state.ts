import type { NodeAPI } from 'node-red';
import type { HostedServer } from './hosted-server';
import type { LinkState } from '../flow/link';
import { statusReason } from '../red/node-error';
import { storeState } from './store-state';
import { translate } from '../red/translate';

/**
 * How a server stands, in words: an error of a listener wins over one of the store, and that over what works.
 * @param fault what keeps its WebSocket path, its API or the topics shared with a broker from being served
 */
export function serverState(
  RED: NodeAPI,
  { server, fault: storeFault }: HostedServer,
  anonymous: boolean,
  fault: Error | undefined,
): LinkState {
  const statuses = [...server.listenerStatus.values()];
  const failed = statuses.find((status) => status.kind === 'error');
  if (failed?.kind === 'error') return { kind: 'error', text: statusReason(failed.error) };
  if (fault !== undefined) return { kind: 'error', text: statusReason(fault) };
  if (storeFault !== undefined) return storeState(RED, storeFault);
  if (!server.running || statuses.some((status) => status.kind === 'opening')) {
    return { kind: 'waiting', text: translate(RED, 'status.starting') };
  }
  if (anonymous) {
    return { kind: 'waiting', text: translate(RED, 'status.anonymous', { count: server.deviceCount }) };
  }
  if (server.registered.length === 0) return { kind: 'waiting', text: translate(RED, 'status.unregistered') };
  return { kind: 'up', text: translate(RED, 'status.listening', { count: server.deviceCount }) };
}
