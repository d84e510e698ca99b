import type { IncomingMessage } from 'node:http';
import type { GatewayContext } from '../gateway-context';

/** A host with a port, as requests name it. */
const HOST = /^[\w.:[\]-]{1,255}$/;
/** A path without anything that has a meaning in an address or a page. */
const PREFIX = /^(?:\/[\w.~-]+){1,20}$/;

/** The address that a program has reached the API at: with the host, and the path that a proxy has taken away. */
export function publicAddress(call: { context: GatewayContext; request: IncomingMessage }): string {
  const { headers, socket } = call.request;
  const isSecure = 'encrypted' in socket || firstOf(headers['x-forwarded-proto']) === 'https';
  const host = hostOf(call);
  const origin = host === '' ? '' : `${isSecure ? 'https' : 'http'}://${host}`;
  return origin + publicPath(call.request, call.context.basePath);
}

/**
 * The path of the API as the program sees it. A proxy that takes a prefix away says so by `X-Forwarded-Prefix`; one that
 * leaves the prefix in place may say it, too.
 */
export function publicPath({ headers }: IncomingMessage, basePath: string): string {
  const prefix = firstOf(headers['x-forwarded-prefix']).replace(/\/+$/, '');
  if (!PREFIX.test(prefix) || prefix.split('/').includes('..')) return basePath;
  const isInPlace = basePath === prefix || basePath.startsWith(`${prefix}/`);
  return isInPlace ? basePath : prefix + basePath;
}

/** Of several proxies, the first one was asked by the program. */
function firstOf(header: string | readonly string[] | undefined): string {
  const [first = ''] = [header ?? ''].flat();
  return (first.split(',', 1)[0] ?? '').trim();
}

/** The host that a token names as its server: the configured one, or the one that the program has asked. */
export function hostOf({ context, request }: { context: GatewayContext; request: IncomingMessage }): string {
  const { headers } = request;
  const asked = [firstOf(headers['x-forwarded-host']), headers.host ?? ''];
  return context.host ?? asked.find((host) => HOST.test(host)) ?? '';
}
