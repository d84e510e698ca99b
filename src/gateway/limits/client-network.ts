import type { IncomingMessage } from 'node:http';
import type { IotmpServer } from '../../broker/broker';
import { hostOf } from '../../transport/host-and-port';
import { networkOf } from '../../transport/network';

/** What tells where a request comes from. */
interface ReceivedRequest {
  readonly context: { readonly server: Pick<IotmpServer, 'clientAddress'> };
  readonly request: IncomingMessage;
}

/** The address that a request comes from: what a trusted proxy says counts. */
export function clientHost({ context, request }: ReceivedRequest): string {
  return hostOf(context.server.clientAddress(request));
}

/** Where a request comes from, as far as limits go. */
export function clientNetwork(received: ReceivedRequest): string {
  return networkOf(clientHost(received));
}
