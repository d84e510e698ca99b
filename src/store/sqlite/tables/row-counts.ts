import type { Statements } from '../database/statements';

/** Maximum number of owners whose rows are remembered. */
const MAX_KNOWN = 10_000;

/**
 * The numbers of rows of owners, in all tables. The rows of an owner are counted once, and the number is then kept up to
 * date: neither a new row nor the refusal of one takes longer where there are many.
 */
export class RowCounts {
  readonly #sql: Statements;
  readonly #known = new Map<string, number>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /**
   * The number of rows of an owner.
   * @param from the FROM and WHERE of these rows, with a parameter for each part of the owner
   */
  of(from: string, ...owner: string[]): number {
    const key = keyOf(from, owner);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const count = this.#sql.number(`SELECT count(*) ${from}`, ...owner);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(key, count);
    return count;
  }

  /** Notes that an owner has got rows, or has lost some where `growth` is negative. */
  change(growth: number, from: string, ...owner: string[]): void {
    const key = keyOf(from, owner);
    const known = this.#known.get(key);
    if (known !== undefined) this.#known.set(key, known + growth);
  }

  /** Forgets what was counted. It is counted again when it is needed. */
  forget(): void {
    this.#known.clear();
  }
}

function keyOf(from: string, owner: readonly string[]): string {
  return `${from} ${JSON.stringify(owner)}`;
}
