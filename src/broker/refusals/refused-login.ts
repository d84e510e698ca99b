import type { ForeignProtocol } from '../../errors';
import type { Transport } from '../../transport/transport';
import type { DeviceId } from '../../types';

/**
 * Why a login was refused, as a stable word.
 *
 * - `credentials`: user, device or credential are wrong.
 * - `malformed`: the CONNECT cannot be read.
 * - `failed`: the login could not be checked, or who may connect has changed meanwhile.
 * - `timeout`: no login came in time.
 * - `protocol`: something else than a CONNECT came first.
 * - `proxy`: a trusted proxy sent no usable PROXY header.
 * - `origin`: a page of another site opened the WebSocket, and its origin is not allowed.
 * - `tls`, `http`, `mqtt`, `ssh`: the other end speaks that protocol. With `tls` the port is one without TLS.
 * - `plain`: the other end does not speak TLS, and the port is one for TLS.
 * - `handshake`: the TLS or WebSocket handshake failed.
 * - `certificate`: the client has shown no valid certificate in the TLS handshake, and has to.
 * - `crowded`: the connection gave way to another one before its login, as too many wait for theirs.
 * - `full`: the server has as many connections as it may have, and all are logged in.
 * - `rate`: the login was not checked, as too many of the device or of its address were refused before.
 * - `blocked`: the address is blocked, as nobody was let in from there and too many logins were refused.
 */
export type RefusalReason =
  | 'credentials'
  | 'malformed'
  | 'failed'
  | 'timeout'
  | 'protocol'
  | ForeignProtocol
  | 'plain'
  | 'handshake'
  | 'certificate'
  | 'proxy'
  | 'origin'
  | 'crowded'
  | 'full'
  | 'rate'
  | 'blocked';

/** A login that was refused, or a connection that was refused before it could log in. It never holds the credential. */
export interface RefusedLogin extends DeviceId {
  /** When, in ms since 1970. */
  readonly time: number;
  readonly reason: RefusalReason;
  /** The reason in words. Parts of it may come from the peer. */
  readonly text: string;
  /** As the peer named itself, made printable; blank where it did not. */
  readonly user: string;
  readonly device: string;
  /** Address and port of the peer. */
  readonly address: string;
  readonly transport: Transport['kind'];
}
