import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import { decodeMessage, type DecodeOptions } from '../../codec/reading/message-decoder';
import { DecodeError, IotmpError } from '../../errors';
import { FrameDecoder } from '../../framing/frame-decoder';
import type { Transport } from '../../transport/transport';
import { FaultMeter } from '../fault-meter';
import { asIotmpError } from '../base/session-errors';
import type { SessionOptions } from '../base/session-options';
import type { SessionState } from '../session-state';

/** What the way in needs of its session. */
export interface InboxPort {
  readonly transport: Transport;
  readonly options: SessionOptions;
  readonly state: SessionState;
  /** Something whole arrived, whatever it is, at that time: the peer lives. */
  handleLife(now: number): void;
  /** A message; `firstKey` is the first field key of its body, 0 without one. */
  handleMessage(message: Message, firstKey: number): void;
  /** A message that does not decode, or is of an unknown type, before the session is open. */
  handleFirstFault(type: number, error: IotmpError, streamId?: number): void;
  refuse(id: number | undefined, error: unknown): void;
  warn(text: string): void;
  destroy(error: IotmpError): void;
}

/** Until the session is open, larger bodies are refused: nobody shall make us hold more before a login. In bytes. */
const MAX_FIRST_BODY = 8192;

/**
 * The way in of a session: bytes become messages, and what is wrong with them is counted (`protocol.md`
 * section 1).
 */
export class Inbox {
  /** Messages and bytes received so far. */
  messages = 0;
  bytes = 0;
  /** When the bytes at hand arrived, on the clock's scale: one look at the clock for all messages of a chunk. */
  heardAt: number;
  /** Messages of an unknown type that were skipped. */
  skipped = 0;
  /** Strings that were not UTF-8. */
  invalidTexts = 0;
  readonly #port: InboxPort;
  readonly #frames: FrameDecoder;
  readonly #decodeOptions: DecodeOptions;
  #faults: FaultMeter | undefined;

  constructor(port: InboxPort) {
    const { clock, maxBodySize, maxDepth } = port.options;
    this.heardAt = clock.now();
    this.#port = port;
    this.#decodeOptions = { maxDepth, floats: 'shortest', onInvalidText: () => this.invalidTexts++ };
    const firstLimit = Math.min(maxBodySize, MAX_FIRST_BODY);
    this.#frames = new FrameDecoder({ maxBodySize: firstLimit }, (type, bytes, start, end) =>
      this.#handleFrame(type, bytes, start, end),
    );
  }

  /** The session is open: bodies of any accepted size may come. */
  open(): void {
    this.#frames.limit(this.#port.options.maxBodySize);
  }

  /** Takes bytes of the peer, cut anywhere. Bytes that are no messages end the session. */
  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#run(() => this.#frames.push(chunk));
  }

  /** Stops to take messages, also those of the chunk at hand. */
  pause(): void {
    this.#frames.pause();
    this.#port.transport.pause();
  }

  /** Takes what waited, and what comes. */
  resume(): void {
    this.#port.transport.resume();
    this.#run(() => this.#frames.resume());
  }

  /** To be called when the session ends: takes nothing more, also not the rest of the chunk at hand. */
  dispose(): void {
    this.#frames.reset();
  }

  #run(take: () => void): void {
    const before = this.messages;
    this.heardAt = this.#port.options.clock.now();
    try {
      take();
    } catch (error) {
      this.#port.destroy(asIotmpError(error));
    }
    if (this.messages !== before) this.#port.handleLife(this.heardAt);
  }

  #handleFrame(type: number, bytes: Buffer, start: number, end: number): void {
    this.messages++;
    if (type > MessageType.STREAM_DATA) {
      this.#skip(type);
      return;
    }
    let message: Message;
    try {
      message = decodeMessage(type, bytes, start, end, this.#decodeOptions);
    } catch (error) {
      this.#handleFault(type, error);
      return;
    }
    this.#port.handleMessage(message, start < end ? (bytes[start] ?? 0) : 0);
  }

  #skip(type: number): void {
    if (this.skipped++ === 0) this.#port.warn(`messages of unknown type ${type} are skipped`);
    if (this.#port.state === 'open') return;
    const error = new IotmpError('IOTMP_ERR_PROTOCOL', 'the first message is of an unknown type');
    this.#port.handleFirstFault(type, error);
  }

  /** A message that does not decode costs itself; ten in a minute cost the connection. */
  #handleFault(type: number, error: unknown): void {
    if (!(error instanceof DecodeError)) throw error;
    this.#port.warn(`a message of type ${type} was dropped: ${error.message}`);
    if (this.#port.state !== 'open') {
      this.#port.handleFirstFault(type, error, error.streamId);
      return;
    }
    const isAnswer = type === MessageType.OK || type === MessageType.ERROR;
    if (!isAnswer && type !== MessageType.STREAM_DATA) this.#port.refuse(error.streamId, error);
    this.#faults ??= new FaultMeter(this.#port.options.clock);
    if (this.#faults.note()) this.#port.destroy(error);
  }
}
