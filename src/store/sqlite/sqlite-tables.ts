import type { Tables } from '../core/tables';
import { SqliteBuckets } from './bucket-table';
import { SqliteDocuments } from './document-table';
import { SqlitePoints } from './point-table';
import { SqliteProperties } from './property-table';
import { SqliteRetained } from './retained-table';
import type { Statements } from './statements';

/** Tables in SQLite, and a way to tell them that writes have been undone. */
export interface SqliteTables extends Tables {
  forget(): void;
}

export function sqliteTables(sql: Statements): SqliteTables {
  const points = new SqlitePoints(sql);
  return {
    properties: new SqliteProperties(sql),
    documents: new SqliteDocuments(sql),
    retained: new SqliteRetained(sql),
    buckets: new SqliteBuckets(sql),
    points,
    forget: () => points.forget(),
  };
}
