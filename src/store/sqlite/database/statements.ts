import { types } from 'node:util';
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { StorageError } from '../../../errors';

/** A row of a table, as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** The statements of a database, each compiled once. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #compiled = new Map<string, StatementSync>();
  #runs = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Number of statements so far that were to change something, also of those that failed. */
  get runs(): number {
    return this.#runs;
  }

  /** The first row of an answer. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  /** Changes something; answers how many rows. */
  run(sql: string, ...values: SQLInputValue[]): number {
    this.#runs++;
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** A number that is the only column of the only row. */
  number(sql: string, ...values: SQLInputValue[]): number {
    const row = this.get(sql, ...values);
    const [value = 0] = row === undefined ? [] : Object.values(row);
    return Number(value);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#compiled.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#compiled.set(sql, statement);
    }
    return statement;
  }
}

/** A column that holds a text. A `StorageError` if it does not, here and below. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw wrongType(column);
}

/** A column that holds a number. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw wrongType(column);
}

/** A column that holds bytes. */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (types.isUint8Array(value)) return value;
  throw wrongType(column);
}

function wrongType(column: string): StorageError {
  return new StorageError(
    'corrupt',
    `the column ${column} of the database holds something else than it should`,
  );
}
