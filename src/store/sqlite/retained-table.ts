import type { RetainedEntry, RetainedTable } from '../core/tables';
import { bytesOf, numberOf, textOf, type Row, type Statements } from './statements';

/** The character that follows the slash: what is below a topic comes before the topic with it. */
const AFTER_SLASH = '0';

/** Retained messages in SQLite. */
export class SqliteRetained implements RetainedTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  get(user: string, topic: string): RetainedEntry | undefined {
    const row = this.#sql.get('SELECT * FROM retained WHERE user = ? AND topic = ?', user, topic);
    return row && toEntry(row);
  }

  put(user: string, { topic, ts, payload }: RetainedEntry): void {
    this.#sql.run(
      `INSERT INTO retained (user, topic, ts, payload) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ts = excluded.ts, payload = excluded.payload`,
      user,
      topic,
      ts,
      payload,
    );
  }

  remove(user: string, topic: string): boolean {
    return this.#sql.run('DELETE FROM retained WHERE user = ? AND topic = ?', user, topic) > 0;
  }

  clear(user: string): number {
    return this.#sql.run('DELETE FROM retained WHERE user = ?', user);
  }

  count(user: string): number {
    return this.#sql.number('SELECT count(*) FROM retained WHERE user = ?', user);
  }

  after(user: string, topic: string, parent: string, limit: number): RetainedEntry[] {
    const rows =
      parent === ''
        ? this.#sql.all(
            'SELECT * FROM retained WHERE user = ? AND topic > ? ORDER BY topic LIMIT ?',
            user,
            topic,
            limit,
          )
        : this.#sql.all(
            `SELECT * FROM retained WHERE user = ? AND topic > ? AND topic >= ? AND topic < ?
             ORDER BY topic LIMIT ?`,
            user,
            topic,
            parent,
            parent + AFTER_SLASH,
            limit,
          );
    return rows.map(toEntry);
  }
}

function toEntry(row: Row): RetainedEntry {
  return { topic: textOf(row, 'topic'), payload: bytesOf(row, 'payload'), ts: numberOf(row, 'ts') };
}
