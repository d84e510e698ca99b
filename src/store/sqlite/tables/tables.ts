import type { DamagedRecords } from '../../damaged-records';
import type { StoreLimits } from '../../store-limits';
import type { Statements } from '../database/statements';
import { BucketQueries } from './bucket-queries';
import { BucketTable } from './bucket-table';
import { bucketTables, type BucketOperations } from './buckets';
import { documentTable, type DocumentOperations } from './documents';
import type { LongTable } from './operations';
import { PointTable } from './point-table';
import { propertyTable, type PropertyOperations } from './properties';
import { retainedTable, type RetainedOperations } from './retained';
import { RowCounts } from './row-counts';

type OfKind<Kind extends 'reads' | 'writes'> = PropertyOperations[Kind] &
  DocumentOperations[Kind] &
  RetainedOperations[Kind] &
  BucketOperations[Kind];

/** The reads of all tables. */
export type Reads = OfKind<'reads'>;
/** The reads of all tables that are done in steps. */
export type LongReads = RetainedOperations['longReads'] & BucketOperations['longReads'];
/** The writes of all tables. */
export type Writes = OfKind<'writes'>;

/** Everything that the thread of a database can be asked for. */
export interface AllOperations {
  readonly reads: Reads;
  readonly longReads: LongReads;
  readonly writes: Writes;
}

/** The tables of a database. They are for one caller that does one operation after the other. */
export interface Tables extends LongTable<AllOperations> {
  readonly points: PointTable;
  /** Forgets what is remembered of the tables. Has to be called when writes have been undone. */
  forget(): void;
}

/** The tables over the statements of a database. */
export function openTables(sql: Statements, limits: StoreLimits, damaged: DamagedRecords): Tables {
  const points = new PointTable(sql);
  const counts = new RowCounts(sql);
  const parts = { sql, limits, counts, damaged };
  const buckets = new BucketTable(parts, points);
  const properties = propertyTable(parts);
  const documents = documentTable(parts);
  const retained = retainedTable(parts);
  const rows = bucketTables(buckets, new BucketQueries(buckets, points, damaged));
  return {
    reads: { ...properties.reads, ...documents.reads, ...retained.reads, ...rows.reads },
    longReads: { ...retained.longReads, ...rows.longReads },
    writes: { ...properties.writes, ...documents.writes, ...retained.writes, ...rows.writes },
    points,
    forget: () => {
      points.forget();
      buckets.forget();
      counts.forget();
    },
  };
}
