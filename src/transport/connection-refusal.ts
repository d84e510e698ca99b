import type { ConnectionOrigin } from './waiting-place';

/**
 * A connection that was refused before it became a transport.
 *
 * - `crowded`: it gave way to another connection.
 * - `proxy`: it came from a trusted proxy, without a usable PROXY header.
 * - `http`, `plain`: the other end speaks HTTP, or anything else, at a port for TLS.
 * - `timeout`: the PROXY header or the TLS handshake took too long.
 * - `handshake`: the TLS handshake failed.
 * - `certificate`: the other end has shown no valid certificate, and has to.
 */
export interface ConnectionRefusal extends ConnectionOrigin {
  readonly reason: 'crowded' | 'proxy' | 'http' | 'plain' | 'timeout' | 'handshake' | 'certificate';
  /** The reason in words. */
  readonly text: string;
}
