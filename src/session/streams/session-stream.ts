import type { IotmpError } from '../../errors';
import type { Value } from '../../types';

/** Hears of a stream that this end opened. */
export interface StreamListener {
  /**
   * A sample. `parameters` are those of the STREAM_DATA, mostly `undefined`; `at` is when it arrived, on the scale of the
   * session's clock, in ms.
   */
  onData(payload: Value | undefined, parameters: Value | undefined, at: number): void;
  /**
   * A stream that was open has ended: with the reason, or without one when {@link SessionStream.stop} ended it.
   * Called once; not for a stream whose opening failed.
   */
  onClose?(reason?: IotmpError): void;
  /** Something was written into the stream: it was sent, or waits for a slow peer. */
  onWrite?(payload: unknown): void;
}

/** A stream that this end opened on a resource of the peer (`protocol.md` section 6). */
export interface SessionStream {
  readonly id: number;
  readonly resource: unknown;
  /** Payload of the OK that opened it: the current value of some event streams. */
  readonly initial: Value | undefined;
  /** Whether the stream has ended, or is about to. */
  readonly closed: boolean;
  /** Samples to the peer that gave way to newer ones, because it read too slowly. */
  readonly dropped: number;
  /**
   * Writes into the stream: the resource runs with it. Returns false when it waits for a slow peer.
   * @throws IotmpError IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE, IOTMP_ERR_CLOSED
   */
  write(payload: unknown): boolean;
  /**
   * Opens the stream once more under its id: devices take that as new parameters (`protocol.md` section 6).
   * @throws IotmpError (as a rejection) as a request does; the stream is still the old one then
   */
  restart(parameters: unknown): Promise<void>;
  /** Ends the stream; resolves when the peer has answered, or will not. Idempotent. */
  stop(): Promise<void>;
}
