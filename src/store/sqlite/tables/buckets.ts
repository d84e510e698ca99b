import { IotmpError } from '../../../errors';
import {
  aggregateArgs,
  checkedBucket,
  latestArgs,
  pointCursor,
  rangeArgs,
  selectionArgs,
  type AggregateArgs,
  type LatestArgs,
  type PointKey,
  type RangeArgs,
} from '../../bucket-args';
import type { BucketAggregation, BucketRange, LatestRows, RowSelection } from '../../bucket-query';
import type { BucketRow, NewRow, RowPage } from '../../bucket-row';
import type { Bucket, BucketKey, BucketSettings, BucketStore, WrittenRows } from '../../bucket-store';
import { checkName, checkPage, checkTime } from '../../checks';
import type { Page } from '../../page';
import { bucketName, rowName } from './bucket-names';
import { encodeMap, mapFromStored, packValues, toStoredMap, unpackValues } from '../../stored-value';
import type { BucketQueries, TagArgs } from './bucket-queries';
import {
  PRUNE_STEP,
  type BucketTable,
  type BucketArgs,
  type BucketEntry,
  type DefineArgs,
  type BucketListArgs,
  type UpdateArgs,
  type WriteArgs,
} from './bucket-table';
import type { LongOperationCaller, LongTable, Operation, StoreContext } from './operations';
import type { PackedRows } from './rows-page';

/** Largest write of rows, in bytes of values. */
const MAX_WRITE_BYTES = 16 * 1024 * 1024;

/** Buckets in SQLite: checks and encodes what goes to the thread of the database, and decodes what comes back. */
export class SqliteBuckets implements BucketStore {
  readonly #context: StoreContext<LongOperationCaller<BucketOperations>>;

  constructor(context: StoreContext<LongOperationCaller<BucketOperations>>) {
    this.#context = context;
  }

  async get(key: BucketKey): Promise<Bucket | undefined> {
    const entry = await this.#context.database.read('bucketGet', checkedBucket(key));
    return entry && this.#context.damaged.read(bucketName(key), () => toBucket(entry));
  }

  async define(
    key: BucketKey,
    settings: BucketSettings,
    expect?: 'absent' | 'present',
  ): Promise<'created' | 'updated'> {
    const { database, limits, now } = this.#context;
    const bytes = toStoredMap(settings, limits.valueSize);
    const args = { ...checkedBucket(key), settings: bytes, expect, at: now() };
    return database.write('bucketDefine', args, bytes.length);
  }

  async update(key: BucketKey, patch: BucketSettings): Promise<Bucket> {
    const { database, limits, now } = this.#context;
    const bytes = toStoredMap(patch, limits.valueSize);
    const args = { ...checkedBucket(key), patch: bytes, at: now() };
    return toBucket(await database.write('bucketUpdate', args, bytes.length));
  }

  async list(user?: string, page?: Page): Promise<Bucket[]> {
    const args = {
      user: user === undefined ? undefined : checkName('a user', user),
      page: checkPage(page),
    };
    const { database, damaged } = this.#context;
    return damaged.readAll(await database.read('bucketList', args), bucketName, toBucket);
  }

  async remove(key: BucketKey): Promise<boolean> {
    return this.#context.database.write('bucketRemove', checkedBucket(key), 0);
  }

  async write(key: BucketKey, rows: readonly NewRow[], create?: BucketSettings): Promise<WrittenRows> {
    const { database, limits, now } = this.#context;
    checkAtMost('rows', rows.length, limits.rowsPerWrite);
    const args = {
      ...checkedBucket(key),
      at: now(),
      ts: rows.map(({ ts }) => (ts === undefined ? undefined : checkTime('ts', ts))),
      devices: rows.map(({ device }) => (device === undefined ? '' : checkName('a device', device))),
      values: packValues(rows.map(({ value }) => encodeMap(value, limits.valueSize))),
      create: create && toStoredMap(create, limits.valueSize),
    };
    const size = args.values.bytes.length;
    checkAtMost('bytes', size, MAX_WRITE_BYTES);
    return database.write('bucketWrite', args, size);
  }

  async range(key: BucketKey, query: BucketRange = {}): Promise<RowPage> {
    const result = await this.#context.database.longRead('bucketRange', rangeArgs(key, query));
    return this.#toPage(key, result, pointCursor);
  }

  async *scan(
    key: BucketKey,
    query: Omit<BucketRange, 'cursor' | 'offset' | 'limit'> = {},
  ): AsyncGenerator<BucketRow[], undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.range(key, { ...query, ...(cursor !== undefined && { cursor }) });
      if (page.rows.length > 0) yield [...page.rows];
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async latest(key: BucketKey, query: LatestRows = {}): Promise<BucketRow[]> {
    return this.#toRows(key, await this.#context.database.longRead('bucketLatest', latestArgs(key, query)));
  }

  async aggregate(key: BucketKey, query: BucketAggregation): Promise<RowPage> {
    const result = await this.#context.database.longRead('bucketAggregate', aggregateArgs(key, query));
    return this.#toPage(key, result, String);
  }

  async tagValues(key: BucketKey, tag: string, selection: RowSelection = {}): Promise<string[]> {
    const args = { ...selectionArgs(key, selection), tag: checkName('a tag', tag) };
    return this.#context.database.longRead('bucketTagValues', args);
  }

  async count(key: BucketKey): Promise<number> {
    return this.#context.database.read('bucketCount', checkedBucket(key));
  }

  async prune(key: BucketKey): Promise<number> {
    const { database, now } = this.#context;
    let total = 0;
    let pruned: number;
    do {
      pruned = await database.write('bucketPrune', { ...checkedBucket(key), at: now() }, 0);
      total += pruned;
    } while (pruned === PRUNE_STEP);
    return total;
  }

  async clear(key: BucketKey): Promise<void> {
    await this.#context.database.write('bucketClear', checkedBucket(key), 0);
  }

  #toPage<Next>(key: BucketKey, result: PackedRows<Next>, cursorOf: (next: Next) => string): RowPage {
    return {
      rows: this.#toRows(key, result),
      ...(result.next !== undefined && { cursor: cursorOf(result.next) }),
    };
  }

  #toRows(key: BucketKey, { ts, devices, values }: PackedRows<unknown>): BucketRow[] {
    const rows = unpackValues(values).map((value, index) => ({
      ts: ts[index] ?? 0,
      ...(devices[index] !== '' && { device: devices[index] ?? '' }),
      value,
    }));
    return this.#context.damaged.readAll(
      rows,
      (row) => rowName(key, row.ts, row.device),
      (row) => ({ ...row, value: mapFromStored(row.value) }),
    );
  }
}

function checkAtMost(what: string, count: number, limit: number): void {
  if (count <= limit) return;
  throw new IotmpError('IOTMP_ERR_TOO_LARGE', `${count} ${what} at once: the limit is ${limit}`);
}

function toBucket({ user, bucket, settings, rows, created, modified }: BucketEntry): Bucket {
  return { user, bucket, settings: mapFromStored(settings), rows, created, modified };
}

/** What is done with buckets in the thread of the database. */
export interface BucketOperations {
  readonly reads: {
    readonly bucketGet: Operation<BucketKey, BucketEntry | undefined>;
    readonly bucketList: Operation<BucketListArgs, BucketEntry[]>;
    readonly bucketCount: Operation<BucketKey, number>;
  };
  readonly longReads: {
    readonly bucketRange: Operation<RangeArgs, PackedRows<PointKey>>;
    readonly bucketLatest: Operation<LatestArgs, PackedRows<never>>;
    readonly bucketAggregate: Operation<AggregateArgs, PackedRows<number>>;
    readonly bucketTagValues: Operation<TagArgs, string[]>;
  };
  readonly writes: {
    readonly bucketDefine: Operation<DefineArgs, 'created' | 'updated'>;
    readonly bucketUpdate: Operation<UpdateArgs, BucketEntry>;
    readonly bucketRemove: Operation<BucketKey, boolean>;
    readonly bucketWrite: Operation<WriteArgs, WrittenRows>;
    readonly bucketPrune: Operation<BucketArgs, number>;
    readonly bucketClear: Operation<BucketKey, void>;
  };
}

/** The tables of buckets and their rows in the thread of the database. */
export function bucketTables(table: BucketTable, queries: BucketQueries): LongTable<BucketOperations> {
  return {
    reads: {
      bucketGet: (key) => table.find(key),
      bucketList: (args) => table.list(args),
      bucketCount: (key) => table.entry(key).rows,
    },
    longReads: {
      bucketRange: (args) => queries.range(args),
      bucketLatest: (args) => queries.latest(args),
      bucketAggregate: (args) => queries.aggregate(args),
      bucketTagValues: (args) => queries.tagValues(args),
    },
    writes: {
      bucketDefine: (args) => table.define(args),
      bucketUpdate: (args) => table.update(args),
      bucketRemove: (key) => table.remove(key),
      bucketWrite: (args) => table.write(args),
      bucketPrune: (args) => table.prune(args),
      bucketClear: (key) => table.clear(key),
    },
  };
}
