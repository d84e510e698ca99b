import type { PropertyEntry, PropertyTable } from '../core/tables';
import type { FullPage } from '../page';
import { bytesOf, numberOf, textOf, type Row, type Statements } from './statements';

const OF_OWNER = 'FROM property WHERE user = ? AND device = ?';

/** Properties in SQLite. */
export class SqliteProperties implements PropertyTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  get(user: string, device: string, name: string): PropertyEntry | undefined {
    const row = this.#sql.get(`SELECT * ${OF_OWNER} AND name = ?`, user, device, name);
    return row && toEntry(row);
  }

  put(user: string, device: string, entry: PropertyEntry): void {
    const { name, value, attributes, created, modified } = entry;
    this.#sql.run(
      `INSERT INTO property (user, device, name, search, created, modified, attributes, value)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE
       SET modified = excluded.modified, attributes = excluded.attributes, value = excluded.value`,
      user,
      device,
      name,
      name.toLowerCase(),
      created,
      modified,
      attributes,
      value,
    );
  }

  remove(user: string, device: string, name: string): boolean {
    return this.#sql.run(`DELETE ${OF_OWNER} AND name = ?`, user, device, name) > 0;
  }

  clear(user: string, device: string): number {
    return this.#sql.run(`DELETE ${OF_OWNER}`, user, device);
  }

  count(user: string, device: string): number {
    return this.#sql.number(`SELECT count(*) ${OF_OWNER}`, user, device);
  }

  list(user: string, device: string, { search, limit, offset }: FullPage): PropertyEntry[] {
    const sql = `SELECT * ${OF_OWNER} AND instr(search, ?) > 0 ORDER BY name LIMIT ? OFFSET ?`;
    return this.#sql.all(sql, user, device, search, limit, offset).map(toEntry);
  }
}

function toEntry(row: Row): PropertyEntry {
  return {
    name: textOf(row, 'name'),
    value: bytesOf(row, 'value'),
    attributes: bytesOf(row, 'attributes'),
    created: numberOf(row, 'created'),
    modified: numberOf(row, 'modified'),
  };
}
