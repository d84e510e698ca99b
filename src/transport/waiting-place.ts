import type { Transport } from './transport';

/** Over what, and from where, a connection came. */
export type ConnectionOrigin = Pick<Transport, 'kind' | 'remoteAddress'>;

/** A connection that is not logged in yet, for whoever bounds their number. */
export interface Newcomer {
  /** Whether the peer has sent anything; once true it stays so. */
  readonly hasSent: boolean;
  /** Ends the connection at once, as its place is needed; `text` says why. */
  turnOut(text: string): void;
}

/** The place of a connection, from its first moment to its last. */
export interface WaitingPlace {
  /** The part that has the connection at the moment. */
  holder: Newcomer | undefined;
  /** The connection is logged in: the place is taken from nobody any more. */
  letIn(): void;
  /** The connection is gone. Idempotent. */
  leave(): void;
}
