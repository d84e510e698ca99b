import type { IotmpError } from '../errors';
import type { Value } from '../types';

/**
 * What a stream is at:
 * - `waiting`: for the client to be open;
 * - `starting`: START_STREAM was sent;
 * - `streaming`;
 * - `failed`: refused, or ended by the server. What is not a refusal is tried again, a refusal after a reconnect.
 */
export type ClientStreamState = 'waiting' | 'starting' | 'streaming' | 'failed';

/** What the owner of a stream hears. */
export interface ClientStreamListener {
  /** A sample. The first may be the payload of the answer to START_STREAM, and may come before `streaming`. */
  onSample(payload: Value | undefined): void;
  /** The state has changed after `stream()` returned; never called after {@link ClientStream.close}. */
  onState?(state: ClientStreamState, error?: IotmpError): void;
  /** A conversation takes more, after a {@link ClientStream.write} that returned false. */
  onDrain?(): void;
}

/** A stream on a resource of the server that outlives connections: it is opened whenever the client becomes open. */
export interface ClientStream {
  readonly resource: unknown;
  readonly state: ClientStreamState;
  /** Whether the stream, or its client, was closed. */
  readonly closed: boolean;
  /**
   * Writes into the stream: the resource runs with it. Returns false when it waits for a slow server; in a conversation, when
   * so much waits that the writer should stop until `onDrain`.
   * @throws IotmpError IOTMP_ERR_OFFLINE unless the state is `streaming`; IOTMP_ERR_CLOSED, IOTMP_ERR_ENCODE,
   *   IOTMP_ERR_TOO_LARGE; IOTMP_ERR_BUSY when a conversation holds too much, which ends it
   */
  write(payload: unknown): boolean;
  /** Takes no more data of a conversation for now: it waits, and when it is too much, the server is stopped. */
  pause(): void;
  /** Takes data again. */
  resume(): void;
  /** Ends the stream for good; resolves when the server has answered, or will not. Idempotent. */
  close(): Promise<void>;
}
