import { performance } from 'node:perf_hooks';
import { Fifo } from '../../util/fifo';
import { guarded, warnProcess } from '../../util/guard';

/** A connection with more messages at hand than it may take in this round of the event loop. */
export interface TurnTaker {
  /** Takes more messages. It must not throw. */
  takeTurn(): void;
}

/** Time that all connections together may take messages before everything else has its turn, in ms. */
const ROUND_MS = 2;
/** Least time of a turn, in ms. Each turn begins with memory that has left the caches of the processor. */
const MIN_TURN_MS = 1;

/**
 * Shares the event loop among connections that flood. A message is taken where it arrives as long as there is time in this
 * round of the loop. Past it a connection waits, unread, and each has a part of the next round, in the order in which they
 * asked. So a flood costs its sender turns and no messages, and whoever sends little waits for one round at most.
 */
export class ReadingTurns {
  readonly #now: () => number;
  readonly #waiting = new Fifo<TurnTaker>();
  /** Whether the end of a round is awaited. */
  #isBusy = false;
  /** Until then messages are taken, on the scale of {@link #now}. */
  #deadline = 0;

  /** @param now time in ms, of which only differences matter */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of connections that wait for a turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether a connection may go on at once. If not, it will be asked to take its turn. */
  mayGoOn(taker: TurnTaker): boolean {
    if (!this.#isBusy) {
      this.#isBusy = true;
      this.#deadline = this.#now() + ROUND_MS;
      setImmediate(this.#onRound);
      return true;
    }
    if (this.#now() < this.#deadline) return true;
    this.#waiting.push(taker);
    return false;
  }

  readonly #onRound = guarded('reading turns', warnProcess, () => {
    this.#isBusy = this.#waiting.length > 0;
    if (!this.#isBusy) return;
    setImmediate(this.#onRound);
    this.#serve();
    this.#deadline = this.#now() + ROUND_MS;
  });

  /** Those that are not through ask again, and wait behind the others. */
  #serve(): void {
    const count = this.#waiting.length;
    const end = this.#now() + ROUND_MS;
    for (let served = 0; served < count; served++) {
      const now = this.#now();
      if (now >= end) return;
      this.#deadline = now + Math.max((end - now) / (count - served), MIN_TURN_MS);
      this.#waiting.shift()?.takeTurn();
    }
  }
}

/** The one of this process: all connections share its event loop. */
export const readingTurns = new ReadingTurns();
