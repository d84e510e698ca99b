import { readingTurns } from '../../../src/session/wire/reading-turns';
import type { Clock, Timer } from '../../../src/util/clock';

/** Timers that one {@link FakeClock.advance} may run: a loop of timers fails instead of hanging the tests. */
const MAX_RUNS = 100_000;

interface FakeTimer extends Timer {
  readonly due: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when a test moves it.
 *
 * ```ts
 * const clock = new FakeClock();
 * clock.after(100, () => console.log('rings'));
 * await clock.advance(99); // nothing
 * await clock.advance(1); // rings
 * assert.equal(clock.pending, 0); // no timer was left behind
 * ```
 *
 * `advance` runs what becomes due in the order of due times, and in the order of creation where those are the
 * same. Before the first timer, after each timer and at the end it lets all pending microtasks (promise
 * reactions, `queueMicrotask`, `process.nextTick`) run, so code that awaits between two timers behaves as it
 * does on a machine's clock. Timers that such code or a callback makes meanwhile run too when they are due.
 * What a callback throws rejects the `advance` that ran it.
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<FakeTimer>();
  #now: number;

  /** @param start what {@link now} gives at first, in ms */
  constructor(start = 0) {
    this.#now = start;
  }

  /** Timers that neither ran nor were cancelled: 0 at the end of a test that looks for leaks. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): Timer {
    const timer: FakeTimer = {
      due: this.#now + Math.max(0, ms),
      callback,
      cancel: () => this.#timers.delete(timer),
    };
    this.#timers.add(timer);
    return timer;
  }

  /**
   * Moves the time on by `ms` and runs everything that becomes due on the way, timers of 0 ms included.
   * `advance(0)` runs what is due now.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await this.settle();
    for (let runs = 0; ; runs++) {
      const timer = this.#nextUntil(target);
      if (timer === undefined) break;
      if (runs >= MAX_RUNS) throw new Error(`more than ${MAX_RUNS} timers ran in one advance(${ms})`);
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.due);
      timer.callback();
      await this.settle();
    }
    this.#now = target;
  }

  /**
   * Lets all pending microtasks run, without moving the time or running a timer; twice, as transports leave some things
   * for the next round of the event loop; and as often as connections wait for their turn, as these take many messages.
   */
  async settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    while (readingTurns.waiting > 0);
  }

  /** The earliest timer that is due at `target` or before. A set keeps the order of creation. */
  #nextUntil(target: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= target && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}
