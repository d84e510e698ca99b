/** Share of a sample's lateness that the next due time follows. It stays in step, and does not copy the jitter. */
const FOLLOW = 1 / 8;

/**
 * Decides which samples of a faster device stream a subscriber gets, so that they come at its own pace.
 *
 * Due times advance by the subscriber's interval and not from the sample that came, so lateness does not add
 * up; a sample that is early by no more than half the device's interval counts as due, so jitter costs no
 * beat. Where the interval is a multiple of the device's, due times also follow the device's clock a little:
 * otherwise the two would slide apart until every second decision is a matter of chance.
 */
export class SamplePacing {
  readonly #intervalMs: number;
  #dueAt = -Infinity;

  /** @param intervalMs the subscriber's interval; 0 lets every sample pass */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Whether no sample has passed yet. */
  get untouched(): boolean {
    return this.#dueAt === -Infinity;
  }

  /**
   * Whether a sample that came at `now` is for the subscriber. Every sample is, while the device is not faster
   * than the subscriber asks.
   */
  admits(now: number, deviceIntervalMs: number): boolean {
    const interval = this.#intervalMs;
    const isDecimated = interval > deviceIntervalMs;
    const lateness = now - this.#dueAt;
    if (isDecimated && lateness < -deviceIntervalMs / 2) return false;
    if (!isDecimated || lateness > interval) this.#dueAt = now + interval;
    else this.#dueAt += interval + (interval % deviceIntervalMs === 0 ? lateness * FOLLOW : 0);
    return true;
  }

  /** The subscriber got a sample that the device sent at `takenAt`. */
  anchor(takenAt: number): void {
    this.#dueAt = takenAt + this.#intervalMs;
  }

  /** Lets the next sample pass, which is the first of a new stream. */
  reset(): void {
    this.#dueAt = -Infinity;
  }
}
