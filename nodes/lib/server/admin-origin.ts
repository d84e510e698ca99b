import type { IncomingHttpHeaders } from 'node:http';
import { allowedOrigins } from '../red/allowed-origins';

/** What Express says of a request, where it is one of Express. */
interface OriginRequest {
  readonly headers: IncomingHttpHeaders;
  readonly app?: { get(name: string): unknown };
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

/**
 * Whether a request comes from a page of the editor's own site, or from no page at all. The host that a proxy names
 * counts where Express trusts the proxy. An origin that `httpAdminCors` of Node-RED's settings lists by name is no foreign one;
 * `*` is not taken for an answer here.
 */
export function isOwnOrigin(request: OriginRequest, httpAdminCors: unknown): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  if (origin !== '*' && allowedOrigins(httpAdminCors).includes(origin)) return true;
  const { protocol, host } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return hostsOf(request).some((own) => {
    const url = `${protocol}//${own}`;
    return URL.canParse(url) && new URL(url).host === host;
  });
}

function hostsOf(request: OriginRequest): string[] {
  const { host, 'x-forwarded-host': forwarded } = request.headers;
  const named = typeof forwarded === 'string' && isProxyTrusted(request) ? forwarded.split(',') : [];
  // Of several proxies, the first one spoke with the browser.
  const [seen = host] = named.map((name) => name.trim());
  return seen === undefined ? [] : [seen];
}

function isProxyTrusted({ app, socket }: OriginRequest): boolean {
  const trust = app?.get('trust proxy fn');
  return typeof trust === 'function' && Reflect.apply(trust, undefined, [socket?.remoteAddress, 0]) === true;
}
