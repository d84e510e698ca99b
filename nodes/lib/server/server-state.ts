import type { NodeAPI } from 'node-red';
import { systemCode, type ListenerStatus } from '../../../src';
import { isWithoutDevices } from './device-state';
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
  if (failed?.kind === 'error') return { kind: 'error', text: listenText(RED, failed) };
  if (fault !== undefined) return { kind: 'error', text: statusReason(fault) };
  if (storeFault !== undefined) return storeState(RED, storeFault);
  if (!server.running || statuses.some((status) => status.kind === 'opening')) {
    return { kind: 'waiting', text: translate(RED, 'status.starting') };
  }
  if (anonymous) {
    return { kind: 'waiting', text: translate(RED, 'status.anonymous', { count: server.deviceCount }) };
  }
  if (statuses.some((status) => status.kind === 'listening' && isOver(status))) {
    return { kind: 'waiting', text: translate(RED, 'status.certificateExpired') };
  }
  if (isWithoutDevices(server)) return { kind: 'waiting', text: translate(RED, 'status.unregistered') };
  return { kind: 'up', text: translate(RED, 'status.listening', { count: server.deviceCount }) };
}

type FailedListener = Extract<ListenerStatus, { kind: 'error' }>;
type OpenListener = Extract<ListenerStatus, { kind: 'listening' }>;

/** Why a port is not open, in few words: the log has the whole of it. */
function listenText(RED: NodeAPI, { error, port }: FailedListener): string {
  const code = systemCode(error.cause);
  if (code === 'EADDRINUSE') return translate(RED, 'status.portInUse', { port });
  if (code === 'EACCES') return translate(RED, 'status.portForbidden', { port });
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return translate(RED, 'status.noSuchAddress');
  // Without a code it is one of our own faults of a certificate, such as that there is none.
  if (code === '' || /^ERR_(OSSL|SSL|CRYPTO|INVALID_ARG)/.test(code)) {
    return translate(RED, 'status.certificateUnusable');
  }
  return translate(RED, 'status.portFailed', { port });
}

/** Whether the certificate of a port has expired. */
function isOver({ expires }: OpenListener): boolean {
  return expires !== undefined && expires <= Date.now();
}
