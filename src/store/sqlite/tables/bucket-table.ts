import { IotmpError } from '../../../errors';
import type { Value } from '../../../types';
import type { DamagedRecords } from '../../damaged-records';
import { userKey } from '../../../util/device-key';
import { bucketRules, type BucketRules } from '../../bucket-rules';
import type { Bucket, BucketKey, WrittenRows } from '../../bucket-store';
import { checkExpected, checkQuota, missing, unusable, type Expected } from '../../checks';
import { mergeMap } from '../../merge-patch';
import { searchText, type FullPage } from '../../page';
import type { StoreLimits } from '../../store-limits';
import { mapFromStored, toStored, unpackValues, type PackedValues } from '../../stored-value';
import { bytesOf, numberOf, textOf, type Row, type Statements } from '../database/statements';
import { bucketName } from './bucket-names';
import type { TableParts } from './operations';
import type { PointTable } from './point-table';
import { KeptBytes } from './kept-bytes';
import { RowClock } from './row-clock';
import type { RowCounts } from './row-counts';

/** Maximum number of old rows that {@link BucketTable.prune} removes at once. */
export const PRUNE_STEP = 5000;
/** Maximum number of old rows that a write of few rows removes. */
const MIN_PRUNED = 100;
/** Size of a row beside its value, with its place in the index, in bytes, about. */
const ROW_BYTES = 48;
/** Maximum number of buckets whose rules are remembered. */
const MAX_KNOWN = 10_000;

const OF_USER = 'FROM bucket WHERE user = ?';
const PAGE = 'instr(search, ?) > 0 ORDER BY user, name LIMIT ? OFFSET ?';
const PUT = `
  INSERT INTO bucket (user, name, search, rows, created, modified, settings) VALUES (?, ?, ?, 0, ?, ?, ?)
  ON CONFLICT (user, name) DO UPDATE
  SET search = excluded.search, modified = excluded.modified, settings = excluded.settings`;

/** A bucket as it is kept. */
export interface BucketEntry extends Omit<Bucket, 'settings'> {
  /** Never used again, not even for a bucket of the same name. */
  readonly id: number;
  /** A map. */
  readonly settings: Uint8Array;
  /** Size of its rows, in bytes, about. */
  readonly bytes: number;
}

export interface BucketListArgs {
  readonly user: string | undefined;
  readonly page: FullPage;
}

/** What a write happens to, and when, in ms since 1970. */
export interface BucketArgs extends BucketKey {
  readonly at: number;
}

export interface DefineArgs extends BucketArgs {
  readonly settings: Uint8Array;
  readonly expect: Expected;
}

export interface UpdateArgs extends BucketArgs {
  readonly patch: Uint8Array;
}

export interface WriteArgs extends BucketArgs {
  /** `undefined` for a row that gets the next free time. */
  readonly ts: readonly (number | undefined)[];
  /** Empty for none. */
  readonly devices: readonly string[];
  readonly values: PackedValues;
  /** Settings of the bucket, where there is none yet. */
  readonly create: Uint8Array | undefined;
}

/** A bucket as the writes of its rows need it. */
interface KnownBucket {
  readonly id: number;
  readonly user: string;
  readonly rules: BucketRules;
  rows: number;
  bytes: number;
}

/**
 * Buckets, and the writes of their rows. The rows of a bucket that is removed or emptied are left to the `Sweeper`: to
 * remove a million of them would take a minute, and as much space again.
 */
export class BucketTable {
  readonly #sql: Statements;
  readonly #points: PointTable;
  readonly #limits: StoreLimits;
  readonly #counts: RowCounts;
  readonly #damaged: DamagedRecords;
  readonly #clock: RowClock;
  readonly #kept: KeptBytes;
  readonly #known = new Map<string, KnownBucket>();

  constructor({ sql, limits, counts, damaged }: TableParts, points: PointTable) {
    this.#sql = sql;
    this.#counts = counts;
    this.#damaged = damaged;
    this.#points = points;
    this.#limits = limits;
    this.#clock = new RowClock(points);
    this.#kept = new KeptBytes(sql, limits);
  }

  /** Forgets what is remembered of the tables. Has to be called when writes have been undone. */
  forget(): void {
    this.#known.clear();
    this.#clock.forget();
    this.#kept.forget();
  }

  find({ user, bucket }: BucketKey): BucketEntry | undefined {
    const row = this.#sql.get('SELECT * FROM bucket WHERE user = ? AND name = ?', user, bucket);
    return row && fromRow(row);
  }

  /** A bucket that has to be there. */
  entry(key: BucketKey): BucketEntry {
    const entry = this.find(key);
    if (entry === undefined) throw missing('bucket', key.bucket);
    return entry;
  }

  list({ user, page: { search, limit, offset } }: BucketListArgs): BucketEntry[] {
    const rows =
      user === undefined
        ? this.#sql.all(`SELECT * FROM bucket WHERE ${PAGE}`, search, limit, offset)
        : this.#sql.all(`SELECT * FROM bucket WHERE user = ? AND ${PAGE}`, user, search, limit, offset);
    return rows.map(fromRow);
  }

  define(args: DefineArgs): 'created' | 'updated' {
    const before = this.find(args);
    checkExpected('bucket', args.bucket, before !== undefined, args.expect);
    if (before === undefined) {
      checkQuota('buckets', this.#counts.of(OF_USER, args.user), this.#limits.bucketsPerUser);
    }
    this.#put({ ...args, created: before?.created ?? args.at, modified: args.at });
    if (before !== undefined) return 'updated';
    this.#counts.change(1, OF_USER, args.user);
    return 'created';
  }

  update(args: UpdateArgs): BucketEntry {
    const before = this.entry(args);
    const map = mergeMap(this.#settingsOf(before), mapFromStored(args.patch));
    const entry = { ...before, settings: toStored(map, this.#limits.valueSize), modified: args.at };
    this.#put(entry);
    return entry;
  }

  remove(key: BucketKey): boolean {
    const entry = this.find(key);
    if (entry === undefined) return false;
    this.#remove(entry);
    this.#counts.change(-1, OF_USER, key.user);
    return true;
  }

  /** Removes all rows: the bucket gets another id. */
  clear(key: BucketKey): void {
    const entry = this.entry(key);
    this.#remove(entry);
    this.#put(entry);
  }

  write(args: WriteArgs): WrittenRows {
    const created = this.#makeIfAbsent(args);
    const bucket = this.#know(args);
    if (!bucket.rules.enabled) {
      throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', `the bucket "${args.bucket}" is not enabled`);
    }
    this.#checkKept(bucket, args);
    this.#kept.check(args.user, args.values.bytes.length + ROW_BYTES * args.ts.length);
    // All of them before the first is written: there may be none for one of them.
    const times = args.devices.map(
      (device, index) => args.ts[index] ?? this.#clock.next(bucket.id, device, args.at),
    );
    let added = 0;
    let bytes = 0;
    for (const [index, value] of unpackValues(args.values).entries()) {
      const { [index]: ts = args.at } = times;
      if (!this.#points.put(bucket.id, ts, args.devices[index] ?? '', value)) continue;
      added++;
      bytes += ROW_BYTES + value.length;
    }
    this.#addRows(bucket, added, bytes);
    const limit = Math.max(MIN_PRUNED, 2 * args.ts.length);
    const pruned = this.#removeOld(bucket, args.at, bucket.rows, limit);
    this.#dropRows(bucket, pruned);
    return { ts: times, added, pruned, created };
  }

  /** Removes what is too old or too much, up to {@link PRUNE_STEP} rows. */
  prune(args: BucketArgs): number {
    const bucket = this.#know(args);
    const pruned = this.#removeOld(bucket, args.at, bucket.rows, PRUNE_STEP);
    this.#dropRows(bucket, pruned);
    return pruned;
  }

  /** Refuses a row with a time of its own that the retention would remove at once. */
  #checkKept({ id, rules, rows }: KnownBucket, { bucket, ts: times, at }: WriteArgs): void {
    const given = times.filter((ts) => ts !== undefined);
    if (given.length === 0) return;
    const byCount = rows >= rules.keepCount ? this.#points.oldestTime(id) : 0;
    const oldest = Math.max(byCount, at - rules.keepMs);
    if (given.some((ts) => ts < oldest)) {
      throw unusable(`ts: is older than the retention of the bucket "${bucket}"`);
    }
  }

  #makeIfAbsent({ user, bucket, at, create: settings }: WriteArgs): boolean {
    if (settings === undefined || this.#known.has(userKey(user, bucket))) return false;
    if (this.find({ user, bucket }) !== undefined) return false;
    this.define({ user, bucket, settings, at, expect: 'absent' });
    return true;
  }

  /** Makes a bucket, or replaces all but its id and its rows. */
  #put({ user, bucket, settings, created, modified }: Omit<BucketEntry, 'id' | 'rows' | 'bytes'>): void {
    const map = mapFromStored(settings);
    bucketRules(map, this.#limits.rowsPerBucket);
    this.#known.delete(userKey(user, bucket));
    this.#sql.run(PUT, user, bucket, searchText(bucket, map), created, modified, settings);
  }

  #remove({ id, user, bucket, bytes }: BucketEntry): void {
    this.#known.delete(userKey(user, bucket));
    this.#kept.change(user, -bytes);
    this.#sql.run('INSERT INTO trash (bucket) VALUES (?)', id);
    this.#sql.run('DELETE FROM bucket WHERE id = ?', id);
  }

  #removeOld({ id, rules }: KnownBucket, at: number, rows: number, limit: number): number {
    const excess = Math.min(rows - rules.keepCount, limit);
    const byCount = excess > 0 ? this.#points.removeOldest(id, excess) : 0;
    if (rules.keepMs === Infinity || byCount >= limit) return byCount;
    return byCount + this.#points.removeBefore(id, at - rules.keepMs, limit - byCount);
  }

  /** Rows that are removed count with the average size: to read each of them would take too long. */
  #dropRows(bucket: KnownBucket, count: number): void {
    const bytes = count >= bucket.rows ? bucket.bytes : Math.round((bucket.bytes * count) / bucket.rows);
    this.#addRows(bucket, -count, -bytes);
  }

  #addRows(bucket: KnownBucket, count: number, bytes: number): void {
    if (count === 0) return;
    bucket.rows += count;
    bucket.bytes += bytes;
    this.#kept.change(bucket.user, bytes);
    this.#sql.run(
      'UPDATE bucket SET rows = rows + ?, bytes = bytes + ? WHERE id = ?',
      count,
      bytes,
      bucket.id,
    );
  }

  #settingsOf(entry: BucketEntry): Record<string, Value> {
    return this.#damaged.read(bucketName(entry), () => mapFromStored(entry.settings));
  }

  #know(key: BucketKey): KnownBucket {
    const text = userKey(key.user, key.bucket);
    let known = this.#known.get(text);
    if (known !== undefined) return known;
    const entry = this.entry(key);
    const { id, user, rows, bytes } = entry;
    known = {
      id,
      user,
      rows,
      bytes,
      rules: bucketRules(this.#settingsOf(entry), this.#limits.rowsPerBucket),
    };
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(text, known);
    return known;
  }
}

function fromRow(row: Row): BucketEntry {
  return {
    id: numberOf(row, 'id'),
    user: textOf(row, 'user'),
    bucket: textOf(row, 'name'),
    settings: bytesOf(row, 'settings'),
    rows: numberOf(row, 'rows'),
    bytes: numberOf(row, 'bytes'),
    created: numberOf(row, 'created'),
    modified: numberOf(row, 'modified'),
  };
}
