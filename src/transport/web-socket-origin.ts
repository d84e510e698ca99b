import type { IncomingMessage } from 'node:http';

/** Origins whose pages may open WebSockets and use the API; `*` is any. */
export type AllowedOrigins = readonly string[];

/** The origin that the WebSocket library of Arduino names. Pages of web sites never have it. */
const OF_DEVICES = 'file://';

/**
 * Whether the page that opens a WebSocket may do so: one of this server itself, or of an origin that is allowed. Browsers ask
 * nobody before they open a WebSocket. Whoever names no origin is no browser.
 */
export function isOriginAllowed(
  { headers }: Pick<IncomingMessage, 'headers'>,
  allowed: AllowedOrigins,
): boolean {
  const { origin, host } = headers;
  if (origin === undefined || origin === OF_DEVICES) return true;
  if (allowed.includes('*') || allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  // A proxy in front may have changed the host, and says which one was asked for. No page can set that header.
  const asked = [host, headers['x-forwarded-host']].flat();
  return asked.includes(new URL(origin).host);
}
