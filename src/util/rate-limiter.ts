import { BoundedMap } from './bounded-map';
import type { Clock } from './clock';

/** How often something may happen. */
export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a time of rest. */
  readonly burst: number;
}

interface TokenBucket {
  tokens: number;
  /** Time of the last turn, on the clock's scale. */
  at: number;
}

/** Maximum number of keys. The key that was seen longest ago is forgotten, and begins with a full burst again. */
const MAX_KEYS = 10_000;

/** Limits how often each key may do something (token bucket). */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets = new BoundedMap<string, TokenBucket>(MAX_KEYS);

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes one of a key's turns. Returns 0, or in how many whole seconds the next turn is free. */
  take(key: string): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
    bucket.tokens--;
    return 0;
  }
}
