import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import type { Routed } from '../http/router';
import type { ClientSocket } from './client-socket';

/** A socket of a program that may be let in. */
export interface SocketCall {
  readonly context: GatewayContext;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  /** Aborts when the socket is gone, be it before or after the handshake is done. */
  readonly signal: AbortSignal;
  readonly param: (name: string) => string;
}

/** Serves a socket from its opening on. */
export type SocketService = (socket: ClientSocket) => void;

/** A path that takes WebSockets. */
export interface SocketRoute extends Routed {
  readonly method: 'SOCKET';
  readonly action: string;
  readonly summary: string;
  readonly access: 'token';
  readonly asset: string;
  readonly id?: string;
  /**
   * Decides about a handshake, and what it throws is the answer to it.
   */
  readonly open: (call: SocketCall) => SocketService | Promise<SocketService>;
}
