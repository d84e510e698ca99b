import type { BucketEntry, BucketTable, NewBucket } from '../core/tables';
import type { FullPage } from '../page';
import { bytesOf, numberOf, textOf, type Row, type Statements } from './statements';

const PAGE = 'instr(search, ?) > 0 ORDER BY user, name LIMIT ? OFFSET ?';

/**
 * Buckets in SQLite. The rows of one that is removed are left to the {@link Sweeper}: a million of them would take a
 * minute, and so many changes at once as much space again.
 */
export class SqliteBuckets implements BucketTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  get(user: string, bucket: string): BucketEntry | undefined {
    const row = this.#sql.get('SELECT * FROM bucket WHERE user = ? AND name = ?', user, bucket);
    return row && toEntry(row);
  }

  put({ user, bucket, search, settings, created, modified }: NewBucket): void {
    this.#sql.run(
      `INSERT INTO bucket (user, name, search, rows, created, modified, settings) VALUES (?, ?, ?, 0, ?, ?, ?)
       ON CONFLICT (user, name) DO UPDATE
       SET search = excluded.search, modified = excluded.modified, settings = excluded.settings`,
      user,
      bucket,
      search,
      created,
      modified,
      settings,
    );
  }

  addRows(id: number, count: number): void {
    this.#sql.run('UPDATE bucket SET rows = rows + ? WHERE id = ?', count, id);
  }

  remove(id: number): void {
    this.#sql.run('INSERT INTO trash (bucket) VALUES (?)', id);
    this.#sql.run('DELETE FROM bucket WHERE id = ?', id);
  }

  empty(id: number): void {
    const row = this.#sql.get('SELECT * FROM bucket WHERE id = ?', id);
    if (row === undefined) return;
    this.remove(id);
    this.put({ ...toEntry(row), search: textOf(row, 'search') });
  }

  count(user: string): number {
    return this.#sql.number('SELECT count(*) FROM bucket WHERE user = ?', user);
  }

  list(user: string | undefined, { search, limit, offset }: FullPage): BucketEntry[] {
    const rows =
      user === undefined
        ? this.#sql.all(`SELECT * FROM bucket WHERE ${PAGE}`, search, limit, offset)
        : this.#sql.all(`SELECT * FROM bucket WHERE user = ? AND ${PAGE}`, user, search, limit, offset);
    return rows.map(toEntry);
  }
}

function toEntry(row: Row): BucketEntry {
  return {
    id: numberOf(row, 'id'),
    user: textOf(row, 'user'),
    bucket: textOf(row, 'name'),
    settings: bytesOf(row, 'settings'),
    rows: numberOf(row, 'rows'),
    created: numberOf(row, 'created'),
    modified: numberOf(row, 'modified'),
  };
}
