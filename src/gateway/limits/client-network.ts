import type { IncomingMessage } from 'node:http';
import { networkOf } from '../../transport/network';

/** Where a request comes from, as far as limits go. */
export function clientNetwork({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return networkOf(socket.remoteAddress ?? '');
}
