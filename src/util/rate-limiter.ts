import { BoundedMap } from './bounded-map';
import type { Clock } from './clock';

/** How often something may happen. */
export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a time of rest. */
  readonly burst: number;
}

/** What came of asking for a turn. */
export interface Reservation {
  readonly isTaken: boolean;
  /** Until the turn is free, in ms. */
  readonly waitMs: number;
}

interface TokenBucket {
  /** Below 0 while turns are taken that are not free yet. */
  tokens: number;
  /** Time of the last turn, on the clock's scale. */
  at: number;
}

/** Default for the maximum number of keys. */
const MAX_KEYS = 10_000;

/** Limits how often each key may do something (token bucket). */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets: BoundedMap<string, TokenBucket>;
  /** The key that was last set: to take it out of the map and put it back would cost more than all else here. */
  #newest: string | undefined;

  /** @param maxKeys past it, the key that was seen longest ago is forgotten, and begins with a full burst again */
  constructor(rate: Rate, clock: Clock, maxKeys = MAX_KEYS) {
    this.#rate = rate;
    this.#clock = clock;
    this.#buckets = new BoundedMap(maxKeys);
  }

  /** Number of keys that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one of a key's turns. Returns 0, or in how many whole seconds the next turn is free. */
  take(key: string): number {
    const { isTaken, waitMs } = this.reserve(key, 0);
    return isTaken ? 0 : wholeSeconds(waitMs);
  }

  /** Takes the next turn of a key, if that is free within this time. The turns of those who wait come in their order. */
  reserve(key: string, maxWaitMs: number): Reservation {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    if (key !== this.#newest) this.#buckets.set(key, bucket);
    this.#newest = key;
    const waitMs = bucket.tokens >= 1 ? 0 : ((1 - bucket.tokens) / perSecond) * 1000;
    const isTaken = waitMs <= maxWaitMs;
    if (isTaken) bucket.tokens--;
    return { isTaken, waitMs };
  }

  /** Gives a turn back, as if it had not been taken. A key that has all its turns again is forgotten. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined && ++bucket.tokens >= this.#rate.burst) this.forget(key);
  }

  /** Gives a key all its turns. */
  forget(key: string): void {
    this.#buckets.delete(key);
    if (key === this.#newest) this.#newest = undefined;
  }
}

/** How long somebody has to wait, in whole seconds, as `Retry-After` says it: at least one. */
export function wholeSeconds(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1000));
}
