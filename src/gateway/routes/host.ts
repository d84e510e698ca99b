import type { IncomingMessage } from 'node:http';
import type { GatewayContext } from '../gateway-context';

/** The host that a token names as its server: the configured one, or the one that the request was sent to. */
export function hostOf({ context, request }: { context: GatewayContext; request: IncomingMessage }): string {
  const { host = '' } = request.headers;
  return context.host ?? (/^[\w.:[\]-]{1,255}$/.test(host) ? host : '');
}
