import type { Clock } from '../../util/clock';
import { rateExceeded } from '../http/request-error';

/** How often something may happen. */
export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a time of rest. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Keys that are remembered; whoever was seen longest ago begins anew. */
const MAX_KEYS = 10_000;

/** Bounds how often each key may do something (token bucket). */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes one of a key's turns. Returns 0, or in how many whole seconds the next one is free. */
  take(key: string): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    // At the end of the map are those that were seen last.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_KEYS) this.#forgetOldest();
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
    bucket.tokens--;
    return 0;
  }

  /** @throws RateError when the key has had its turns */
  check(key: string): void {
    const waitS = this.take(key);
    if (waitS > 0) throw rateExceeded(waitS);
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
