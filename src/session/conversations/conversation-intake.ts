import { withoutRest } from '../../codec/snapshot';
import type { Value } from '../../types';
import { Fifo } from '../../util/fifo';
import type { ReadingGate, ReadingHolder } from '../wire/reading-gate';
import { WaitingBytes } from './waiting-bytes';

/** What a {@link ConversationIntake} serves. */
export interface IntakePort {
  readonly reading: ReadingGate;
  /** Bytes past which the peer is stopped. */
  readonly limit: number;
  deliver(payload: Value | undefined, parameters: Value | undefined, at: number): void;
  /** Runs code of the reader: what it throws is a warning. */
  guard(callback: () => void): void;
  /** So much waits that the conversation has to end. */
  onOverflow(): void;
}

interface Received {
  readonly payload: Value | undefined;
  readonly parameters: Value | undefined;
  readonly at: number;
  readonly size: number;
}

/**
 * What a conversation has received and its reader did not take yet. When it is too much, the connection is not read for a
 * while, so that the peer stops.
 */
export class ConversationIntake implements ReadingHolder {
  readonly yields = true;
  readonly #port: IntakePort;
  readonly #waiting: WaitingBytes;
  readonly #items = new Fifo<Received>();
  #paused: boolean;
  #delivering = false;
  #end: (() => void) | undefined;

  constructor(port: IntakePort, paused: boolean) {
    this.#port = port;
    this.#waiting = new WaitingBytes(port.limit);
    this.#paused = paused;
  }

  /** Bytes that wait, about. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  /**
   * Something came.
   * @param size of the message, in bytes
   */
  take(payload: Value | undefined, parameters: Value | undefined, at: number, size: number): void {
    if (!this.#paused && !this.#delivering && this.#items.length === 0) {
      this.#port.deliver(payload, parameters, at);
      return;
    }
    if (!this.#waiting.add(size)) {
      this.clear();
      this.#port.onOverflow();
      return;
    }
    this.#items.push({ payload: withoutRest(payload), parameters, at, size });
    if (this.#waiting.full) this.#port.reading.hold(this);
  }

  /** The reader takes no more for now. */
  pause(): void {
    this.#paused = true;
  }

  /** The reader goes on. */
  resume(): void {
    this.#paused = false;
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      this.#deliver();
    } finally {
      this.#delivering = false;
    }
  }

  /** Nothing comes any more: calls back when the reader has taken what waits. */
  end(then: () => void): void {
    this.#port.reading.release(this);
    if (this.#items.length === 0 && !this.#paused) then();
    else this.#end = then;
  }

  /** Lets go of what waits, and of whoever waits for its end. */
  clear(): void {
    this.#items.clear();
    this.#waiting.clear();
    this.#end = undefined;
    this.#port.reading.release(this);
  }

  /** The reader may pause, or end the conversation, at each step. */
  #deliver(): void {
    while (!this.#paused) {
      const item = this.#items.shift();
      if (item === undefined) break;
      if (this.#waiting.take(item.size)) this.#port.reading.release(this);
      this.#port.guard(() => this.#port.deliver(item.payload, item.parameters, item.at));
    }
    if (this.#items.length > 0 || this.#paused) return;
    const then = this.#end;
    this.#end = undefined;
    then?.();
  }
}
