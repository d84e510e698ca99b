import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** `host:port` as people write it: an IPv6 address stands in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A host as the system takes it: an IPv6 address is without the brackets that people write. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** The host of `host:port`, without the brackets of an IPv6 address. */
export function hostOf(address: string): string {
  return bareHost(address.replace(/:\d+$/, ''));
}

/** Address and port of the other end of `socket`; `unknown` where there is none, as for a connection that has ended. */
export function remoteAddressOf(socket: Duplex): string {
  if (!(socket instanceof Socket)) return 'unknown';
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return 'unknown';
  return remoteName(remoteAddress, remotePort);
}

/** Address and port of another end. A listener for IPv6 sees IPv4 addresses in mapped form. */
export function remoteName(address: string, port: number): string {
  return hostAndPort(address.replace(/^::ffff:(?=\d+\.)/i, ''), port);
}
