import { IotmpError } from '../../../errors';
import type { StoreLimits } from '../../store-limits';
import type { Statements } from '../database/statements';

/** Maximum number of users whose bytes are remembered. */
const MAX_KNOWN = 10_000;

/** The bytes of the rows of each user, and of all, and their bounds. They are read once, and then kept up to date. */
export class KeptBytes {
  readonly #sql: Statements;
  readonly #limits: Pick<StoreLimits, 'rowBytesPerUser' | 'rowBytes'>;
  readonly #users = new Map<string, number>();
  #all: number | undefined;

  constructor(sql: Statements, limits: Pick<StoreLimits, 'rowBytesPerUser' | 'rowBytes'>) {
    this.#sql = sql;
    this.#limits = limits;
  }

  /**
   * Checks that a user may keep so many bytes more.
   * @throws IotmpError IOTMP_ERR_QUOTA, with the status 507 of storage that is full
   */
  check(user: string, growth: number): void {
    const { rowBytesPerUser, rowBytes } = this.#limits;
    if (this.#of(user) + growth > rowBytesPerUser)
      throw full(`the limit of ${rowBytesPerUser} bytes of rows of a user`);
    if (this.#total() + growth > rowBytes) throw full(`the limit of ${rowBytes} bytes of rows`);
  }

  /** Notes that a user keeps more, or less. */
  change(user: string, growth: number): void {
    this.#users.set(user, this.#of(user) + growth);
    this.#all = this.#total() + growth;
  }

  /** Forgets what was read. It is read again when it is needed. */
  forget(): void {
    this.#users.clear();
    this.#all = undefined;
  }

  #of(user: string): number {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const bytes = this.#sql.number('SELECT coalesce(sum(bytes), 0) FROM bucket WHERE user = ?', user);
    if (this.#users.size >= MAX_KNOWN) this.#users.clear();
    this.#users.set(user, bytes);
    return bytes;
  }

  #total(): number {
    return (this.#all ??= this.#sql.number('SELECT coalesce(sum(bytes), 0) FROM bucket'));
  }
}

function full(limit: string): IotmpError {
  return new IotmpError('IOTMP_ERR_QUOTA', `${limit} is reached`, { statusCode: 507 });
}
