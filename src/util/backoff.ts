/** Limits of a {@link Backoff}. */
export interface BackoffOptions {
  /** First delay at its longest, in ms. */
  readonly minMs: number;
  /** Longest delay, in ms. */
  readonly maxMs: number;
  /** A number of 0 up to, not including, 1, as `Math.random` gives it. */
  readonly random: () => number;
}

/** What was up for so long, in ms, is taken as healthy: the next failure is a new one. */
export const STEADY_MS = 10_000;

/**
 * Delays between the attempts at something that fails: each is twice as long as the one before, up to a limit, and
 * shortened at random by up to a half, so that many clients of one server do not come back all at once.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Time to wait before the next attempt, in ms. */
  next(): number {
    const { minMs, maxMs, random } = this.#options;
    const full = Math.min(maxMs, minMs * 2 ** this.#failures);
    this.#failures++;
    return Math.round(full * (0.5 + random() / 2));
  }

  /** Begins with the first delay again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Says how long the thing had been up when it failed, in ms. Only {@link STEADY_MS} or more is a reset: something
   * that comes and goes at once is not healthy.
   */
  noteUptime(ms: number): void {
    if (ms >= STEADY_MS) this.reset();
  }
}
