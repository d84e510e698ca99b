import type { Message } from '../codec/message';
import type { IotmpError } from '../errors';
import type { Transport } from '../transport/transport';
import type { DeviceId } from '../types';
import type { SessionState } from './base/session-errors';
import type { SessionOptions } from './base/session-options';
import type { IdSequence } from './requests/id-sequence';
import type { CallOptions, Reply, RequestOptions } from './requests/reply';
import type { SessionStream, StreamListener, StreamOptions } from './streams/session-stream';
import type { MessagePace } from './wire/inbox';
import type { ReadingGate } from './wire/reading-gate';
import type { KeepAliveOptions } from './wire/keep-alive';

export type { SessionState } from './base/session-errors';
export type { ConnectRequest, SessionHooks } from './session-hooks';

/**
 * One end of a connection, for the one who has it (`protocol.md` sections 1 and 4-6): calls resources of the other side
 * and opens streams on them. When it ends, for whatever reason, everything that was pending is settled with that reason.
 */
export interface Session {
  readonly transport: Transport;
  readonly options: SessionOptions;
  readonly state: SessionState;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** The device at the other end, once that is known: resources of this end are told it as their caller. */
  peer: DeviceId | undefined;
  /** Where this end takes its stream ids from; may be replaced before the session opens. */
  ids: IdSequence;
  /** Largest body that the peer accepts, in bytes. */
  maxBodySize: number;
  /** Messages and bytes of both directions so far. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Messages of the peer that were skipped because they were too large. */
  readonly oversized: number;
  /** When the peer was last heard of, on the clock's scale, in ms. */
  readonly heardAt: number;
  /** Number of open streams in both directions. */
  readonly streamCount: number;
  /** Samples to the peer that gave way to newer ones so far, because it read too slowly. */
  readonly samplesDropped: number;
  /** Messages of the peer that were dropped so far, because they do not decode or are of an unknown type. */
  readonly messagesDropped: number;
  /** Conversations that ended before their time so far, as one end was too slow or a part was missing. */
  readonly conversationsFailed: number;
  /** Decides whether the connection is read. */
  readonly reading: ReadingGate;
  /** How fast messages of the peer are taken; `undefined`: as fast as they come. */
  pace: MessagePace | undefined;

  /** Server side: gives the peer this long to send CONNECT and to be let in, in ms. */
  expectConnect(timeoutMs: number): void;
  /**
   * Client side: sends CONNECT and takes the first message as the answer (`protocol.md` section 4.2). After OK the
   * session is open; after anything else the caller has to end it.
   * @throws IotmpError (as a rejection) the reason, when the session ends before the answer; IOTMP_ERR_TIMEOUT,
   *   IOTMP_ERR_ENCODE and IOTMP_ERR_TOO_LARGE end it
   */
  connect(payload: unknown, parameters: unknown, timeoutMs: number): Promise<Message>;
  /** Starts the keep-alive of an open session, or starts it anew with other times. */
  keepAlive(options: KeepAliveOptions): void;

  /**
   * Runs a resource of the peer (`protocol.md` section 5).
   * @throws IotmpError (as a rejection) IOTMP_ERR_REMOTE, IOTMP_ERR_TIMEOUT, IOTMP_ERR_ABORTED, IOTMP_ERR_CLOSED,
   *   IOTMP_ERR_BUSY, IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE
   */
  call(resource: unknown, options?: CallOptions): Promise<Reply>;
  /**
   * Asks what the peer hosts, or, of one resource, for samples; that one may act (`protocol.md` section 5).
   * @throws IotmpError (as a rejection) as {@link call} does
   */
  describe(resource?: unknown, options?: RequestOptions): Promise<Reply>;
  /**
   * Opens a stream on a resource of the peer (`protocol.md` section 6). Samples may reach the listener before the
   * promise settles.
   * @throws IotmpError (as a rejection) as {@link call} does; IOTMP_ERR_CONFLICT when the session of that name is in use
   */
  openStream(resource: unknown, listener: StreamListener, options?: StreamOptions): Promise<SessionStream>;

  /**
   * Stops the conversations that broken connections left at the peer. The messages are sent before this returns; what the
   * peer does not answer is stopped again next time.
   */
  stopLeft(): void;

  /** Ends the session in good order: DISCONNECT, then the connection. Idempotent. */
  close(reason?: IotmpError): void;
  /** Ends the session at once. Idempotent. */
  destroy(reason: IotmpError): void;
}
