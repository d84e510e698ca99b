import type { IotmpError } from '../../errors';
import type { Value } from '../../types';
import type { CallOptions } from '../requests/reply';
import type { StreamKind } from './stream-kind';

/** What a stream is opened with. */
export interface StreamOptions extends CallOptions {
  /** Default: as `streamKind` says of the resource and the parameters. */
  readonly kind?: StreamKind | undefined;
  /** A conversation: nothing is given to the listener before {@link SessionStream.resume}. */
  readonly paused?: boolean | undefined;
}

/** Hears of a stream that this end opened. */
export interface StreamListener {
  /**
   * A sample. `parameters` are those of the STREAM_DATA, mostly `undefined`; `at` is when it arrived, on the scale of the
   * session's clock, in ms.
   */
  onData(payload: Value | undefined, parameters: Value | undefined, at: number): void;
  /**
   * A stream that was open has ended, without a reason when {@link SessionStream.stop} ended it. The codes of the others:
   * IOTMP_ERR_CLOSED, the peer ended it; IOTMP_ERR_REMOTE, the peer says that something went wrong; IOTMP_ERR_OFFLINE, the
   * connection ended; IOTMP_ERR_BUSY, a conversation whose reader is too slow. Of a conversation it comes behind all data.
   * Called once; not for a stream whose opening failed.
   */
  onClose?(reason?: IotmpError): void;
  /** Something was written into the stream: it was sent, or waits for a slow peer. */
  onWrite?(payload: unknown): void;
  /** A conversation takes more, after a {@link SessionStream.write} that returned false. */
  onDrain?(): void;
}

/** A stream that this end opened on a resource of the peer (`protocol.md` section 6). */
export interface SessionStream {
  readonly id: number;
  readonly resource: unknown;
  readonly kind: StreamKind;
  /** Payload of the OK that opened it: the current value of some event streams. */
  readonly initial: Value | undefined;
  /** Whether the stream has ended, or is about to. */
  readonly closed: boolean;
  /** Samples to the peer that gave way to newer ones, because it read too slowly. None in a conversation. */
  readonly dropped: number;
  /**
   * Writes into the stream: the resource runs with it. Returns false when it waits for a slow peer; in a conversation, when
   * so much waits that the writer should stop until `onDrain`. A conversation that holds four times as much ends.
   * @throws IotmpError IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE, IOTMP_ERR_CLOSED, IOTMP_ERR_BUSY
   */
  write(payload: unknown): boolean;
  /**
   * The reader of a conversation takes no more for now: what comes waits, and when it is too much, the peer is stopped. A
   * conversation that holds four times as much ends with IOTMP_ERR_BUSY. Without effect on other streams.
   */
  pause(): void;
  /** The reader goes on. */
  resume(): void;
  /**
   * Opens the stream once more under its id: devices take that as new parameters (`protocol.md` section 6).
   * @throws IotmpError (as a rejection) as a request does; the stream is still the old one then
   */
  restart(parameters: unknown): Promise<void>;
  /**
   * Ends the stream; of a conversation, after what was written into it. Resolves when the peer has answered, or will not.
   * Idempotent.
   */
  stop(): Promise<void>;
}
