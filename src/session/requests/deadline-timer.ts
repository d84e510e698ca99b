import type { Clock, Timer } from '../../util/clock';

/**
 * One timer for many deadlines. A timer for each request would cost as much as all else that a call takes; this one
 * rings at the earliest deadline it was told of, met or not, and asks then when to ring again.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #onDue: (now: number) => number;
  #timer: Timer | undefined;
  #due = Infinity;

  /**
   * @param onDue deals with every deadline up to `now`, and returns the earliest one that is left, `Infinity` without
   *   any; all on the clock's scale, in ms
   */
  constructor(clock: Clock, onDue: (now: number) => number) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Notes a deadline that is this many ms away, and returns it on the clock's scale. */
  note(ms: number): number {
    const deadline = this.#clock.now() + ms;
    if (deadline < this.#due) this.#set(deadline, ms);
    return deadline;
  }

  /** Rings no more, until another deadline is noted. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Infinity;
  }

  #set(deadline: number, ms: number): void {
    this.#timer?.cancel();
    this.#due = deadline;
    this.#timer = this.#clock.after(ms, () => this.#ring());
  }

  #ring(): void {
    this.stop();
    const now = this.#clock.now();
    const next = this.#onDue(now);
    if (next < this.#due) this.#set(next, next - now);
  }
}
