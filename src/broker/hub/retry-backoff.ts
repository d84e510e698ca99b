import type { Clock, Timer } from '../../util/clock';

/** Waits before the first, second and every later retry, in ms. */
const DELAYS_MS = [5_000, 15_000, 60_000] as const;

/** Spaces out retries while a device is connected: after 5 s, 15 s, and then every 60 s. */
export class RetryBackoff {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #retries = 0;
  #timer: Timer | undefined;

  /** @param onDue runs when a retry is due; it schedules nothing by itself */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Lets the next retry become due, later than the one before. */
  schedule(): void {
    this.cancel();
    const delay = DELAYS_MS[this.#retries] ?? DELAYS_MS[2];
    this.#retries++;
    this.#timer = this.#clock.after(delay, this.#onDue);
  }

  /** Calls a scheduled retry off; the next one waits longer all the same. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Calls a scheduled retry off and begins again with the shortest wait. */
  reset(): void {
    this.cancel();
    this.#retries = 0;
  }
}
