import type { DatabaseSync } from 'node:sqlite';
import type { Statements } from '../database/statements';
import { inTransaction } from '../database/transaction';
import type { PointTable } from './point-table';

/** Number of rows that are removed in one step. */
const ROWS_STEP = 2000;
/** Number of pages that are given back to the disk in one step. */
const PAGES_STEP = 256;
/** Maximum number of unused pages that are kept for new rows. */
const MIN_FREE_PAGES = 1024;

/** What a {@link Sweeper} works on. */
export interface SweeperParts {
  readonly db: DatabaseSync;
  readonly sql: Statements;
  readonly points: PointTable;
  /** Whether all room is needed elsewhere on the disk. */
  readonly isTight?: () => boolean;
}

/**
 * Removes the rows of buckets that are gone, little by little while nothing else is to be done, and then gives the space
 * back to the disk if it is a quarter of the file. It goes on where it was after the file is opened again.
 */
export class Sweeper {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #points: PointTable;
  readonly #isTight: () => boolean;
  #hasWork = true;
  /** Whether pages were given back, but the file has kept its size: it changes when the log is brought into it. */
  #isShrinking = false;

  constructor({ db, sql, points, isTight = () => false }: SweeperParts) {
    this.#db = db;
    this.#sql = sql;
    this.#points = points;
    this.#isTight = isTight;
  }

  /** Whether there may be something to do. */
  get hasWork(): boolean {
    return this.#hasWork;
  }

  /** Says that there may be something to do. */
  wake(): void {
    this.#hasWork = true;
  }

  /** Some milliseconds of work. After an error it rests until it is woken. */
  step(): void {
    this.#hasWork = false;
    const bucket = this.#sql.number('SELECT bucket FROM trash LIMIT 1');
    this.#hasWork = bucket === 0 ? this.#shrink() : this.#sweep(bucket);
  }

  #sweep(bucket: number): boolean {
    inTransaction(this.#db, () => {
      if (this.#points.removeOldest(bucket, ROWS_STEP) === ROWS_STEP) return;
      this.#sql.run('DELETE FROM series WHERE bucket = ?', bucket);
      this.#sql.run('DELETE FROM trash WHERE bucket = ?', bucket);
    });
    if (this.#isTight()) this.#emptyLog();
    return true;
  }

  #shrink(): boolean {
    const free = this.#sql.number('PRAGMA freelist_count');
    if (!this.#isWorthwhile(free)) return this.#cutFile();
    this.#db.exec(`PRAGMA incremental_vacuum(${PAGES_STEP})`);
    this.#isShrinking = true;
    if (this.#isTight()) this.#emptyLog();
    return true;
  }

  #isWorthwhile(free: number): boolean {
    if (this.#isTight()) return free > 0;
    return free >= MIN_FREE_PAGES && free >= this.#sql.number('PRAGMA page_count') / 4;
  }

  #emptyLog(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #cutFile(): boolean {
    if (this.#isShrinking || this.#isTight()) this.#emptyLog();
    this.#isShrinking = false;
    return false;
  }
}
