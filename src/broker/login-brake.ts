import type { Clock } from '../util/clock';

interface Failures {
  count: number;
  last: number;
}

/**
 * Slows down whoever guesses credentials: each failed login of an address delays the next refusal of that
 * address, up to some seconds. Right credentials are never delayed, as other devices may share the address.
 */
export class LoginBrake {
  static readonly #FIRST_DELAY_MS = 100;
  static readonly #MAX_DELAY_MS = 5_000;
  static readonly #FORGET_MS = 60_000;
  static readonly #MAX_ADDRESSES = 4096;
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a failed login of an address and tells how long its refusal has to wait, in ms. */
  failed(address: string): number {
    const now = this.#clock.now();
    const known = this.#failures.get(address);
    const count = known !== undefined && now - known.last < LoginBrake.#FORGET_MS ? known.count + 1 : 1;
    this.#failures.delete(address);
    this.#failures.set(address, { count, last: now });
    if (this.#failures.size > LoginBrake.#MAX_ADDRESSES) this.#forgetOldest();
    if (count === 1) return 0;
    return Math.min(LoginBrake.#FIRST_DELAY_MS * 2 ** (count - 2), LoginBrake.#MAX_DELAY_MS);
  }

  #forgetOldest(): void {
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}
