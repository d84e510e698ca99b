import type { Transport } from './transport';

/**
 * A connection that was refused before it became a transport.
 *
 * - `full`: there are as many connections as there may be.
 * - `http`, `plain`: the other end speaks HTTP, or anything else, at a port for TLS.
 * - `timeout`: the TLS handshake took too long.
 * - `handshake`: the TLS handshake failed.
 */
export interface ConnectionRefusal extends Pick<Transport, 'kind' | 'remoteAddress'> {
  readonly reason: 'full' | 'http' | 'plain' | 'timeout' | 'handshake';
  /** The reason in words. */
  readonly text: string;
}
