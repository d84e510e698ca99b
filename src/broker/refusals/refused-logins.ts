import type { RefusalReason, RefusedLogin } from './refused-login';

/** Number of records that are kept. The oldest record gives way. */
const MAX_RECORDS = 1000;

/** The one record of refused logins of a server: the last ones, and how many there were by reason. */
export class RefusedLogins {
  readonly #ring: RefusedLogin[] = [];
  /** Place of the oldest record, once the ring is full. */
  #oldest = 0;
  readonly #counts = new Map<RefusalReason, number>();
  #total = 0;

  /** Number of refused logins since the server was made. */
  get total(): number {
    return this.#total;
  }

  /** Number of refused logins by reason. */
  get counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts;
  }

  /** The newest record. */
  get last(): RefusedLogin | undefined {
    return this.#ring.at(this.#oldest - 1);
  }

  /** The records that are kept, the newest first. */
  *[Symbol.iterator](): Generator<RefusedLogin> {
    const { length } = this.#ring;
    for (let age = 1; age <= length; age++) {
      const record = this.#ring[(this.#oldest - age + length) % length];
      if (record !== undefined) yield record;
    }
  }

  /** Counts a refusal that is not recorded, as too many of its kind would push out all others. */
  count(reason: RefusalReason): void {
    this.#total++;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  add(login: RefusedLogin): void {
    this.count(login.reason);
    if (this.#ring.length < MAX_RECORDS) {
      this.#ring.push(login);
      return;
    }
    this.#ring[this.#oldest] = login;
    this.#oldest = (this.#oldest + 1) % MAX_RECORDS;
  }
}
