import type { Clock } from '../util/clock';

/**
 * Notices what happens too often. One bad message of a peer costs only itself, ten in a minute cost the
 * connection (`protocol.md` section 1).
 */
export class FaultMeter {
  static readonly #LIMIT = 10;
  static readonly #WINDOW_MS = 60_000;
  readonly #clock: Clock;
  readonly #times: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a fault. Returns true when it is at least the tenth within a minute. */
  note(): boolean {
    const now = this.#clock.now();
    if (this.#times.length >= FaultMeter.#LIMIT) this.#times.shift();
    this.#times.push(now);
    while ((this.#times[0] ?? now) <= now - FaultMeter.#WINDOW_MS) this.#times.shift();
    return this.#times.length >= FaultMeter.#LIMIT;
  }
}
