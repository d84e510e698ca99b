import type { Clock } from './clock';

/** Limits of a {@link RateWindow}. */
export interface RateWindowOptions {
  /** Number of events within the window that is too many. */
  readonly limit: number;
  /** Length of the window, in ms. */
  readonly windowMs: number;
}

/** Notices that something happens too often: at least `limit` times within any window (sliding window log). */
export class RateWindow {
  readonly #options: RateWindowOptions;
  readonly #clock: Clock;
  /** Times of the last events, at most `limit` of them, on the clock's scale. */
  readonly #times: number[] = [];

  constructor(options: RateWindowOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Notes an event. Returns true when it is at least the one at the limit. */
  note(): boolean {
    const { limit, windowMs } = this.#options;
    const now = this.#clock.now();
    if (this.#times.length >= limit) this.#times.shift();
    this.#times.push(now);
    this.#forget(now - windowMs);
    return this.#times.length >= limit;
  }

  /** Whether the limit is reached at this moment, without another event. */
  get isReached(): boolean {
    const { limit, windowMs } = this.#options;
    this.#forget(this.#clock.now() - windowMs);
    return this.#times.length >= limit;
  }

  #forget(until: number): void {
    while ((this.#times[0] ?? Infinity) <= until) this.#times.shift();
  }
}
