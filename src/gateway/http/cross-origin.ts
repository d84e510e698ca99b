import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AllowedOrigins } from '../../transport/web-socket-origin';

/** Adds what browsers want to see before a page of another origin may read the answer. */
export function allowOrigin(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: AllowedOrigins,
): void {
  const { origin } = request.headers;
  if (allowed.length === 0 || origin === undefined) return;
  const isAny = allowed.includes('*');
  if (!isAny && !allowed.includes(origin)) return;
  response.setHeader('Access-Control-Allow-Origin', isAny ? '*' : origin);
  if (!isAny) response.setHeader('Vary', 'Origin');
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
  if (request.method !== 'OPTIONS') return;
  response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type');
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE');
  response.setHeader('Access-Control-Max-Age', '600');
}
