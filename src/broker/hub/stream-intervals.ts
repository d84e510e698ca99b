import { IotmpError } from '../../errors';
import { MAX_INTERVAL_MS } from '../../session/streams/stream-interval';

/** The smallest common divisor that a device is asked for to space the samples evenly, in ms. */
const MIN_DIVISOR_MS = 250;

/** The coarsest clock that devices sample on (`protocol.md` section 6), in ms. */
const COARSE_CLOCK_MS = 1000;

/**
 * An interval that a subscriber asks for, in whole ms: 0 for events, else 1 to a day.
 * @throws IotmpError IOTMP_ERR_CONFIG when it is negative or no number
 */
export function checkedInterval(intervalMs: number): number {
  if (!(intervalMs >= 0)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `the interval must be 0 ms or more, not ${intervalMs}`);
  }
  return intervalMs === 0 ? 0 : Math.min(Math.max(1, Math.round(intervalMs)), MAX_INTERVAL_MS);
}

/** The interval that a device with a clock of whole seconds keeps, in ms: rounded up to seconds, at least one. */
export function coarseInterval(intervalMs: number): number {
  return Math.max(1, Math.ceil(intervalMs / COARSE_CLOCK_MS)) * COARSE_CLOCK_MS;
}

/**
 * The interval of the one device stream that serves subscribers with these intervals: their greatest common
 * divisor where that is at least 250 ms or equals the smallest, otherwise the smallest.
 * @param intervals positive whole ms; the result is 0 if there are no intervals
 */
export function sharedInterval(intervals: Iterable<number>): number {
  let smallest = Infinity;
  let divisor = 0;
  for (const interval of intervals) {
    smallest = Math.min(smallest, interval);
    divisor = greatestCommonDivisor(divisor, interval);
  }
  return divisor >= MIN_DIVISOR_MS || divisor === smallest || divisor === 0 ? divisor : smallest;
}

/** Counts the intervals of the present subscribers, so that a new subscriber costs no walk through a large group. */
export class IntervalCounts {
  readonly #counts = new Map<number, number>();
  #shared: number | undefined = 0;

  /** The interval of their device stream in ms; see {@link sharedInterval}. */
  get shared(): number {
    this.#shared ??= sharedInterval(this.#counts.keys());
    return this.#shared;
  }

  add(intervalMs: number): void {
    const count = this.#counts.get(intervalMs) ?? 0;
    this.#counts.set(intervalMs, count + 1);
    if (count === 0) this.#shared = undefined;
  }

  remove(intervalMs: number): void {
    const count = this.#counts.get(intervalMs) ?? 0;
    if (count > 1) {
      this.#counts.set(intervalMs, count - 1);
      return;
    }
    this.#counts.delete(intervalMs);
    this.#shared = undefined;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest !== 0) [divisor, rest] = [rest, divisor % rest];
  return divisor;
}
