import type { Message } from '../../codec/message';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import type { IotmpError } from '../../errors';
import type { Transport } from '../../transport/transport';
import type { ReadingGate } from '../wire/reading-gate';
import type { DeviceId } from '../../types';
import type { IdSequence } from '../requests/id-sequence';
import type { SessionState } from './session-errors';
import type { SessionOptions } from './session-options';

/**
 * A session as its own parts see it: the one object that they share. Users of a session see `Session`, which has none
 * of this.
 */
export interface SessionCore {
  readonly transport: Transport;
  readonly options: SessionOptions;
  readonly state: SessionState;
  /** The device at the other end, once that is known. */
  readonly peer: DeviceId | undefined;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;

  /**
   * A stream id that no request and no stream uses.
   * @throws IotmpError IOTMP_ERR_CLOSED after the end, IOTMP_ERR_BUSY when the peer reads too slowly
   */
  nextId(): number;
  /** Where the stream ids come from. */
  readonly ids: IdSequence;
  /**
   * Sends a message of an open session. Nothing is sent when it throws.
   * @throws IotmpError IOTMP_ERR_CLOSED, IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  send(message: OutgoingMessage): void;
  /**
   * Answers a request with OK, unless the request wants no answer. Nothing is sent when it throws.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  answer(streamId: number | undefined, payload: unknown, statusCode?: number): void;
  /**
   * Answers a request with ERROR, its code and its text. It never throws: an ERROR that cannot be sent gives way to one
   * without code and text, and if that fails too, the session ends.
   */
  refuse(streamId: number | undefined, error: unknown): void;
  /**
   * Answers a request with ERROR and this very payload. Nothing is sent when it throws.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  refuseWith(streamId: number | undefined, statusCode: number, payload: unknown): void;

  /** Decides whether messages of the peer are taken. */
  readonly reading: ReadingGate;

  /** Something whole arrived at that time, on the clock's scale: the peer lives. */
  handleLife(now: number): void;
  /** The connection begins with this byte. One that no message may begin with here ends the session. */
  handleFirstByte(byte: number): void;
  /** A message arrived; `firstKey` is the first field key of its body, 0 without one. */
  handleMessage(message: Message, firstKey: number): void;
  /** A message past the size limit was skipped; its stream id is undefined where it could not be found. */
  handleOversized(type: number, streamId: number | undefined, text: string): void;
  /** A message that does not decode, or is of an unknown type, arrived before the session is open. */
  handleFirstFault(type: number, error: IotmpError, streamId?: number): void;
  /** CONNECT was accepted: from now on messages are served. */
  handleOpen(): void;
  /** Server side: the peer knows that it was let in. */
  handleLetIn(): void;

  /** Writes a warning for the owner of the session; a flood of them is cut short. It never throws. */
  warn(text: string): void;
  /** Runs code of our users: what it throws is a warning. */
  runGuarded(callback: () => void): void;
  /** Ends the session after what has been sent. Idempotent. */
  endInOrder(reason: IotmpError): void;
  /** Ends the session at once. Idempotent. */
  destroy(reason: IotmpError): void;
}
