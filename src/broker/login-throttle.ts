import { BoundedMap } from '../util/bounded-map';
import type { Clock } from '../util/clock';

interface Failures {
  /** Number of failures, each within {@link FORGET_MS} of the one before it. */
  readonly count: number;
  /** Time of the last failure, on the clock's scale. */
  readonly last: number;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const FORGET_MS = 60_000;
/** Maximum number of addresses. The address that failed longest ago is forgotten. */
const MAX_ADDRESSES = 4096;

/**
 * Slows down the guessing of credentials: each failed login of an address doubles the delay of the next refusal of that
 * address, up to 5 s. A login that succeeds is never delayed, as other devices may share the address.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #failures = new BoundedMap<string, Failures>(MAX_ADDRESSES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a failed login of an address. Returns how long its refusal has to wait, in ms. */
  failed(address: string): number {
    const now = this.#clock.now();
    const known = this.#failures.get(address);
    const count = known !== undefined && now - known.last < FORGET_MS ? known.count + 1 : 1;
    this.#failures.set(address, { count, last: now });
    if (count === 1) return 0;
    return Math.min(FIRST_DELAY_MS * 2 ** (count - 2), MAX_DELAY_MS);
  }
}
