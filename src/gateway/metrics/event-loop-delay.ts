import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { Clock, Timer } from '../../util/clock';

/** Time between two measurements, in ms. It is a part of each measured time. */
const RESOLUTION_MS = 20;
/** How long after a look it is measured on, in ms: longer than scrapers wait between two of theirs. */
const LOOKED_AT_MS = 150_000;
const NS_PER_MS = 1e6;

/**
 * How late the event loop is. That is measured only while somebody looks at it now and then, because measuring wakes an idle
 * machine 50 times a second. The first look finds nothing.
 */
export class EventLoopDelay {
  readonly #clock: Clock;
  /** Absent while nothing is measured: it is a handle of Node.js that outlives its use. */
  #delays: IntervalHistogram | undefined;
  #end: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether it is being measured. */
  get measuring(): boolean {
    return this.#end !== undefined;
  }

  /** Delays since the last look, in s, by percentile; 100 is the longest. */
  look<Percentile extends number>(percentiles: readonly Percentile[]): [Percentile, seconds: number][] {
    const found = percentiles.map((percentile): [Percentile, number] => [percentile, this.#at(percentile)]);
    this.#delays ??= monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delays.reset();
    this.#delays.enable();
    this.#end?.cancel();
    this.#end = this.#clock.after(LOOKED_AT_MS, () => this.close());
    return found;
  }

  /** Ends the measuring, until the next look. Idempotent. */
  close(): void {
    this.#end?.cancel();
    this.#end = undefined;
    this.#delays?.disable();
    this.#delays = undefined;
  }

  #at(percentile: number): number {
    const measured = this.#delays?.percentile(percentile) ?? 0;
    return Math.max(0, measured / NS_PER_MS - RESOLUTION_MS) / 1000;
  }
}
