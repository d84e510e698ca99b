import type { Charge, LoginBuckets } from './login-buckets';
import type { LoginTurns } from './login-turns';

/** A try to log in that was charged, and may be checked. It stays charged unless it succeeds. */
export class LoginTry {
  readonly #charge: Charge;
  readonly #buckets: LoginBuckets;
  readonly #turns: LoginTurns;
  #isBegun = false;

  constructor(charge: Charge, buckets: LoginBuckets, turns: LoginTurns) {
    this.#charge = charge;
    this.#buckets = buckets;
    this.#turns = turns;
  }

  /** The check takes time: {@link end} has to follow. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#turns.begin(this.#charge.network);
  }

  /** The check is done, or was given up. */
  end(): void {
    if (!this.#isBegun) return;
    this.#isBegun = false;
    this.#turns.end(this.#charge.network);
  }

  /** The device is let in. */
  succeed(): void {
    this.#buckets.letIn(this.#charge);
  }

  /** The check failed, and not because the credential is wrong: the device may try again, and its address is not charged. */
  fail(): void {
    this.#buckets.spareAddress(this.#charge);
  }
}
