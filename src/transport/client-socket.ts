import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { bareHost, hostAndPort } from './host-and-port';
import { DEFAULT_PATH } from './web-socket-settings';

/** Where a client connects to. */
export interface ConnectTarget {
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss';
  /** Host name or IP address; an IPv6 address with or without brackets. */
  readonly host: string;
  /** 1..65535. Devices use 25204 for TCP and 25206 for TLS (`protocol.md` section 1). */
  readonly port: number;
  /** Of WebSockets only. Default `/iotmp`. */
  readonly path?: string | undefined;
}

/** Whether the connection is encrypted. */
export function isSecure(target: ConnectTarget): boolean {
  return target.transport === 'tls' || target.transport === 'wss';
}

/** Whether the connection is a WebSocket. */
export function isWebSocket(target: ConnectTarget): boolean {
  return target.transport === 'ws' || target.transport === 'wss';
}

/** The target as a URL, for people and for the WebSocket handshake. */
export function targetUrl(target: ConnectTarget): string {
  // A zone (`fe80::1%eth0`) means something only on this machine and has no place in a URL.
  const host = bareHost(target.host).replace(/%.*$/, '');
  const origin = `${target.transport}://${hostAndPort(host, target.port)}`;
  if (!isWebSocket(target)) return origin;
  const path = target.path ?? DEFAULT_PATH;
  return origin + (path.startsWith('/') ? path : `/${path}`);
}

/**
 * Begins to connect; the socket tells by `connect` or `secureConnect`, or by `error`. TLS checks the certificate
 * unless `options` say otherwise. Throws when host or port are unusable.
 */
export function openClientSocket(target: ConnectTarget, options?: ConnectionOptions): Socket {
  const host = bareHost(target.host);
  const { port } = target;
  // The system takes no host for this machine; and it throws at a wrong port only after it has opened a handle.
  if (host === '') throw new TypeError('no host is given');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`${port} is no port`);
  if (!isSecure(target)) return connectTcp({ host, port });
  return connectTls({
    // As HTTPS clients say it; some servers take nothing else for a WebSocket.
    ...(isWebSocket(target) ? { ALPNProtocols: ['http/1.1'] } : {}),
    ...options,
    // The server name indication names hosts, never addresses.
    servername: options?.servername ?? (isIP(host) === 0 ? host : ''),
    host,
    port,
  });
}
