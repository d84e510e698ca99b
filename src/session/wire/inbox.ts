import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import { decodeMessage, type DecodeOptions } from '../../codec/reading/message-decoder';
import { DecodeError, ForeignProtocolError, IotmpError } from '../../errors';
import { foreignProtocol } from '../../framing/foreign-protocol';
import { FrameDecoder, type FrameReceiver } from '../../framing/frame-decoder';
import type { SkippedBody } from '../../framing/skipped-body';
import { RateWindow } from '../../util/rate-window';
import type { Timer } from '../../util/clock';
import type { SessionCore } from '../base/session-core';
import { asIotmpError } from '../base/session-errors';
import { readingTurns, type TurnTaker } from './reading-turns';

/** Largest body before the session is open, in bytes: a peer must not make us hold more before its login. */
const MAX_FIRST_BODY = 8192;
/** Largest body that is skipped, in bytes. One past it ends the connection. */
const MAX_SKIPPED = 64 * 2 ** 20;
/** Messages that are taken before the time is looked at. Each 512 bytes (2^9) of a body count as another one. */
const CREDIT = 64;
const CREDIT_SHIFT = 9;
/** Messages that do not decode, past which the connection ends (`protocol.md` section 1). */
const FAULTS = { limit: 10, windowMs: 60_000 };

/** How fast messages are taken. */
export interface MessagePace {
  /** The limit, for people. */
  readonly perSecond: number;
  /** To be called after each message: how long the next one has to wait, in ms. */
  waitMs(): number;
}

/**
 * The way in of a session: bytes become messages, and what is wrong with them is counted (`protocol.md`
 * section 1). A peer that floods is read in turns with the others.
 */
export class Inbox implements FrameReceiver, TurnTaker {
  /** Messages and bytes received so far. */
  messages = 0;
  bytes = 0;
  /** When the bytes at hand arrived, on the clock's scale: one look at the clock for all messages of a chunk. */
  heardAt: number;
  /** Size of the body of the message at hand, in bytes. */
  bodySize = 0;
  /** Messages of an unknown type that were skipped. */
  skipped = 0;
  /** Messages that were dropped because they are of an unknown type, do not decode, or are too large. */
  dropped = 0;
  /** Messages past the size limit that were skipped. */
  oversized = 0;
  /** Strings that were not UTF-8. */
  invalidTexts = 0;
  readonly #core: SessionCore;
  readonly #frames: FrameDecoder;
  readonly #decodeOptions: DecodeOptions;
  #faults: RateWindow | undefined;
  #pace: MessagePace | undefined;
  #credit = CREDIT;
  /** Whether it was paused, and whether it waits for its turn. */
  #paused = false;
  #resting = false;
  #timer: Timer | undefined;
  /** Whether it was told that messages come too fast. */
  #slowed = false;

  constructor(core: SessionCore) {
    const { clock, maxBodySize, maxDepth } = core.options;
    this.heardAt = clock.now();
    this.#core = core;
    this.#decodeOptions = { maxDepth, floats: 'shortest', onInvalidText: () => this.invalidTexts++ };
    this.#frames = new FrameDecoder(Math.min(maxBodySize, MAX_FIRST_BODY), this);
  }

  /** How fast messages are taken; `undefined`: as fast as they come. */
  get pace(): MessagePace | undefined {
    return this.#pace;
  }

  set pace(pace: MessagePace | undefined) {
    this.#pace = pace;
    this.#credit = 0;
  }

  /** The session is open: bodies of any accepted size may come. */
  open(): void {
    this.#frames.limit(this.#core.options.maxBodySize, MAX_SKIPPED);
  }

  /** Takes bytes of the peer, cut anywhere. Bytes that are no messages end the session. */
  push(chunk: Buffer): void {
    const isFirst = this.bytes === 0;
    this.bytes += chunk.length;
    if (isFirst && !this.#isOurs(chunk)) return;
    this.#run(() => this.#frames.push(chunk));
  }

  /** Stops to take messages, also those of the chunk at hand. */
  pause(): void {
    this.#paused = true;
    this.#halt();
  }

  /** Takes what waited, and what comes. */
  resume(): void {
    this.#paused = false;
    if (!this.#resting) this.#goOn();
  }

  /** The message at hand has caused as much work as so many others. */
  spend(messages: number): void {
    this.#credit -= messages;
  }

  takeTurn(): void {
    if (!this.#resting) return;
    this.#resting = false;
    if (!this.#paused) this.#goOn();
  }

  /** To be called when the session ends: takes nothing more, also not the rest of the chunk at hand. */
  dispose(): void {
    this.#resting = false;
    this.#timer?.cancel();
    this.#frames.reset();
  }

  #halt(): void {
    this.#frames.pause();
    this.#core.transport.pause();
  }

  #goOn(): void {
    this.#core.transport.resume();
    this.#run(() => this.#frames.resume());
  }

  #askForMore(): void {
    const waitMs = this.#pace?.waitMs() ?? 0;
    this.#credit = this.#pace === undefined ? CREDIT : 0;
    if (waitMs > 0) this.#slowDown(waitMs);
    else if (readingTurns.mayGoOn(this)) return;
    this.#resting = true;
    this.#halt();
  }

  #slowDown(waitMs: number): void {
    this.#timer = this.#core.options.clock.after(waitMs, () => {
      const before = this.messages;
      this.takeTurn();
      if (this.messages > before) this.#tellSlow();
    });
  }

  #tellSlow(): void {
    if (this.#slowed) return;
    this.#slowed = true;
    this.#core.warn(`more than ${this.#pace?.perSecond} messages a second come: they are read more slowly`);
  }

  /** Ends a connection whose first bytes cannot be ours: they could pass for a message that is never whole. */
  #isOurs(chunk: Buffer): boolean {
    const protocol = foreignProtocol(chunk);
    if (protocol !== undefined) this.#core.destroy(new ForeignProtocolError(protocol));
    else this.#core.handleFirstByte(chunk[0] ?? 0);
    return this.#core.state !== 'closed';
  }

  #run(take: () => void): void {
    const before = this.messages;
    this.heardAt = this.#core.options.clock.now();
    try {
      take();
    } catch (error) {
      this.#core.destroy(asIotmpError(error));
    }
    if (this.messages !== before || this.#frames.skipping) this.#core.handleLife(this.heardAt);
  }

  /** Decodes a message, and hands it on. */
  handleFrame(type: number, bytes: Buffer, start: number, end: number): void {
    this.messages++;
    this.bodySize = end - start;
    this.#credit -= 1 + (this.bodySize >>> CREDIT_SHIFT);
    if (this.#credit <= 0) this.#askForMore();
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
    this.#core.handleMessage(message, start < end ? (bytes[start] ?? 0) : 0);
  }

  /** A message past the limit costs itself, and breaks no rule. */
  handleSkipped(type: number, { size, streamId }: SkippedBody): void {
    this.messages++;
    if (type > MessageType.STREAM_DATA) {
      this.#skip(type);
      return;
    }
    this.dropped++;
    this.oversized++;
    const text = `a message of ${size} bytes was skipped: the limit is ${this.#core.options.maxBodySize}`;
    this.#core.warn(text);
    this.#core.handleOversized(type, streamId, text);
  }

  #skip(type: number): void {
    this.dropped++;
    if (this.skipped++ === 0) this.#core.warn(`messages of unknown type ${type} are skipped`);
    if (this.#core.state === 'open') return;
    const error = new IotmpError('IOTMP_ERR_PROTOCOL', 'the first message is of an unknown type');
    this.#core.handleFirstFault(type, error);
  }

  /** A message that does not decode costs itself; ten in a minute cost the connection. */
  #handleFault(type: number, error: unknown): void {
    if (!(error instanceof DecodeError)) throw error;
    this.dropped++;
    this.#core.warn(`a message of type ${type} was dropped: ${error.message}`);
    if (this.#core.state !== 'open') {
      this.#core.handleFirstFault(type, error, error.streamId);
      return;
    }
    const isAnswer = type === MessageType.OK || type === MessageType.ERROR;
    if (!isAnswer && type !== MessageType.STREAM_DATA) this.#core.refuse(error.streamId, error);
    this.#faults ??= new RateWindow(FAULTS, this.#core.options.clock);
    if (this.#faults.note()) this.#core.destroy(error);
  }
}
