import type { BucketAggregation, BucketRange, LatestRows, RowSelection } from '../bucket-query';
import type { BucketRow, NewRow, RowPage } from '../bucket-row';
import type { Bucket, BucketKey, BucketSettings, BucketStore, WrittenRows } from '../bucket-store';
import { checkName, checkPage, checkTime } from '../checks';
import { PRUNE_STEP } from '../core/bucket-operations';
import type { RowsResult } from '../core/operations';
import type { BucketEntry } from '../core/tables';
import { IotmpError } from '../../errors';
import { packValues, unpackValues } from '../packed-values';
import type { Page } from '../page';
import { encodeMap, mapFromStored, toStoredMap } from '../stored-value';
import { aggregateArgs, bucketArgs, latestArgs, pointCursor, rangeArgs, selectionArgs } from './bucket-args';
import type { FacadeContext } from './facade-context';

/** Largest write of rows. */
const MAX_WRITE_BYTES = 16 * 1024 * 1024;

/** Checks and encodes what goes to an engine, and decodes what comes back. */
export class Buckets implements BucketStore {
  readonly #context: FacadeContext;

  constructor(context: FacadeContext) {
    this.#context = context;
  }

  async get(key: BucketKey): Promise<Bucket | undefined> {
    const entry = await this.#context.engine.read('bucketGet', bucketArgs(key));
    return entry && toBucket(entry);
  }

  async define(
    key: BucketKey,
    settings: BucketSettings,
    expect?: 'absent' | 'present',
  ): Promise<'created' | 'updated'> {
    const { engine, limits, now } = this.#context;
    const bytes = toStoredMap(settings, limits.valueSize);
    const args = { ...bucketArgs(key), settings: bytes, expect, at: now() };
    return engine.write('bucketDefine', args, bytes.length);
  }

  async update(key: BucketKey, patch: BucketSettings): Promise<Bucket> {
    const { engine, limits, now } = this.#context;
    const bytes = toStoredMap(patch, limits.valueSize);
    const args = { ...bucketArgs(key), patch: bytes, at: now() };
    return toBucket(await engine.write('bucketUpdate', args, bytes.length));
  }

  async list(user?: string, page?: Page): Promise<Bucket[]> {
    const args = {
      user: user === undefined ? undefined : checkName('a user', user),
      page: checkPage(page),
    };
    return (await this.#context.engine.read('bucketList', args)).map(toBucket);
  }

  async remove(key: BucketKey): Promise<boolean> {
    return this.#context.engine.write('bucketRemove', bucketArgs(key), 0);
  }

  async write(key: BucketKey, rows: readonly NewRow[], create?: BucketSettings): Promise<WrittenRows> {
    const { engine, limits, now } = this.#context;
    checkAtMost('rows', rows.length, limits.rowsPerWrite);
    const args = {
      ...bucketArgs(key),
      at: now(),
      ts: rows.map(({ ts }) => (ts === undefined ? undefined : checkTime('ts', ts))),
      devices: rows.map(({ device }) => (device === undefined ? '' : checkName('a device', device))),
      values: packValues(rows.map(({ value }) => encodeMap(value, limits.valueSize))),
      create: create && toStoredMap(create, limits.valueSize),
    };
    const size = args.values.bytes.length;
    checkAtMost('bytes', size, MAX_WRITE_BYTES);
    return engine.write('bucketWrite', args, size);
  }

  async range(key: BucketKey, query: BucketRange = {}): Promise<RowPage> {
    const result = await this.#context.engine.longRead('bucketRange', rangeArgs(key, query));
    return toPage(result, pointCursor);
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
    return toRows(await this.#context.engine.longRead('bucketLatest', latestArgs(key, query)));
  }

  async aggregate(key: BucketKey, query: BucketAggregation): Promise<RowPage> {
    return toPage(await this.#context.engine.longRead('bucketAggregate', aggregateArgs(key, query)), String);
  }

  async tagValues(key: BucketKey, tag: string, selection: RowSelection = {}): Promise<string[]> {
    const args = { ...selectionArgs(key, selection), tag: checkName('a tag', tag) };
    return this.#context.engine.longRead('bucketTagValues', args);
  }

  async count(key: BucketKey): Promise<number> {
    return this.#context.engine.read('bucketCount', bucketArgs(key));
  }

  async prune(key: BucketKey): Promise<number> {
    const { engine, now } = this.#context;
    let total = 0;
    let pruned: number;
    do {
      pruned = await engine.write('bucketPrune', { ...bucketArgs(key), at: now() }, 0);
      total += pruned;
    } while (pruned === PRUNE_STEP);
    return total;
  }

  async clear(key: BucketKey): Promise<void> {
    await this.#context.engine.write('bucketClear', bucketArgs(key), 0);
  }
}

function checkAtMost(what: string, count: number, limit: number): void {
  if (count <= limit) return;
  throw new IotmpError('IOTMP_ERR_TOO_LARGE', `${count} ${what} at once: the limit is ${limit}`);
}

function toBucket({ user, bucket, settings, rows, created, modified }: BucketEntry): Bucket {
  return { user, bucket, settings: mapFromStored(settings), rows, created, modified };
}

function toPage<Next>(result: RowsResult<Next>, cursorOf: (next: Next) => string): RowPage {
  return {
    rows: toRows(result),
    ...(result.next !== undefined && { cursor: cursorOf(result.next) }),
  };
}

function toRows({ ts, devices, values }: RowsResult<unknown>): BucketRow[] {
  return unpackValues(values).map((bytes, index) => ({
    ts: ts[index] ?? 0,
    ...(devices[index] !== '' && { device: devices[index] ?? '' }),
    value: mapFromStored(bytes),
  }));
}
