import { IotmpError } from '../errors';
import { isSecure, targetUrl, type ConnectTarget } from '../transport/client-socket';
import type { Value } from '../types';
import { DEFAULT_PORT } from './client-options';

/** Transport of each scheme in the payload of a redirect (`protocol.md` section 4.2). */
const TRANSPORT: Readonly<Record<string, 'tcp' | 'tls'>> = { 'iotmp:': 'tcp', 'iotmps:': 'tls' };

/**
 * Where a redirect leads: `iotmp://host[:port]` or, over TLS, `iotmps://host[:port]`. From an encrypted connection it
 * is never followed to a plain one: the credential would be readable on the way.
 * @throws IotmpError IOTMP_ERR_PROTOCOL for another payload, IOTMP_ERR_NOT_ALLOWED for a step down to plain
 */
export function redirectTarget(payload: Value | undefined, from: ConnectTarget): ConnectTarget {
  const url = typeof payload === 'string' ? URL.parse(payload) : null;
  const transport = TRANSPORT[url?.protocol ?? ''];
  if (url === null || transport === undefined || url.hostname === '' || url.port === '0') {
    throw new IotmpError('IOTMP_ERR_PROTOCOL', 'the server redirected to no usable address');
  }
  const port = url.port === '' ? DEFAULT_PORT[transport] : Number(url.port);
  const target = { transport, host: url.hostname, port };
  if (isSecure(from) && !isSecure(target)) {
    const step = `from ${targetUrl(from)} to ${targetUrl(target)}`;
    throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', `a redirect ${step} would give up encryption`);
  }
  return target;
}
