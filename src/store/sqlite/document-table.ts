import type { DocumentEntry, DocumentTable } from '../core/tables';
import type { FullPage } from '../page';
import { bytesOf, numberOf, textOf, type Row, type Statements } from './statements';

const OF_USER = 'FROM document WHERE collection = ? AND user = ?';
const PAGE = 'instr(search, ?) > 0 ORDER BY user, id LIMIT ? OFFSET ?';

/** Documents in SQLite. */
export class SqliteDocuments implements DocumentTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  get(collection: string, user: string, id: string): DocumentEntry | undefined {
    const row = this.#sql.get(`SELECT * ${OF_USER} AND id = ?`, collection, user, id);
    return row && toEntry(row);
  }

  put({ collection, user, id, search, created, modified, body }: DocumentEntry): void {
    this.#sql.run(
      `INSERT INTO document (collection, user, id, search, created, modified, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE
       SET search = excluded.search, modified = excluded.modified, body = excluded.body`,
      collection,
      user,
      id,
      search,
      created,
      modified,
      body,
    );
  }

  remove(collection: string, user: string, id: string): boolean {
    return this.#sql.run(`DELETE ${OF_USER} AND id = ?`, collection, user, id) > 0;
  }

  clear(collection: string, user: string): number {
    return this.#sql.run(`DELETE ${OF_USER}`, collection, user);
  }

  count(collection: string, user: string): number {
    return this.#sql.number(`SELECT count(*) ${OF_USER}`, collection, user);
  }

  list(collection: string, user: string | undefined, page: FullPage): DocumentEntry[] {
    const { search, limit, offset } = page;
    const rows =
      user === undefined
        ? this.#sql.all(
            `SELECT * FROM document WHERE collection = ? AND ${PAGE}`,
            collection,
            search,
            limit,
            offset,
          )
        : this.#sql.all(`SELECT * ${OF_USER} AND ${PAGE}`, collection, user, search, limit, offset);
    return rows.map(toEntry);
  }
}

function toEntry(row: Row): DocumentEntry {
  return {
    collection: textOf(row, 'collection'),
    user: textOf(row, 'user'),
    id: textOf(row, 'id'),
    search: textOf(row, 'search'),
    body: bytesOf(row, 'body'),
    created: numberOf(row, 'created'),
    modified: numberOf(row, 'modified'),
  };
}
