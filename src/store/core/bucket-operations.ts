import { IotmpError } from '../../errors';
import { userKey } from '../../util/device-key';
import type { WrittenRows } from '../bucket-store';
import { mergeMap } from '../merge-patch';
import { unpackValues } from '../packed-values';
import type { StoreLimits } from '../store-limits';
import { mapFromStored, toStored } from '../stored-value';
import { bucketRules, type BucketRules } from './bucket-rules';
import { checkExpected, checkQuota, missing } from './failures';
import type { BucketArgs, Writes } from './operations';
import { RowClock } from './row-clock';
import { searchText } from './search-text';
import type { BucketEntry, BucketTable, PointTable } from './tables';

/** Most old rows that {@link BucketOperations.prune} removes at once. */
export const PRUNE_STEP = 5000;
/** Most old rows that a write of few removes. */
const MIN_PRUNED = 100;
/** Buckets whose rules are remembered. */
const MAX_KNOWN = 10_000;

/** A bucket as the writes of its rows need it. */
interface KnownBucket {
  readonly id: number;
  readonly rules: BucketRules;
  rows: number;
}

/** What is done with buckets and, where it is short, with their rows. */
export class BucketOperations {
  readonly #buckets: BucketTable;
  readonly #points: PointTable;
  readonly #limits: StoreLimits;
  readonly #clock: RowClock;
  readonly #known = new Map<string, KnownBucket>();

  constructor(buckets: BucketTable, points: PointTable, limits: StoreLimits) {
    this.#buckets = buckets;
    this.#points = points;
    this.#limits = limits;
    this.#clock = new RowClock(points);
  }

  /** Forgets what is remembered of the tables, as what was written last has been undone. */
  forget(): void {
    this.#known.clear();
    this.#clock.forget();
  }

  define(args: Writes['bucketDefine']['args']): 'created' | 'updated' {
    const before = this.#buckets.get(args.user, args.bucket);
    checkExpected('bucket', args.bucket, before !== undefined, args.expect);
    if (before === undefined) {
      checkQuota('buckets', this.#buckets.count(args.user), this.#limits.bucketsPerUser);
    }
    this.#put(args, args.settings, before?.created ?? args.at, args.at);
    return before === undefined ? 'created' : 'updated';
  }

  update(args: Writes['bucketUpdate']['args']): BucketEntry {
    const before = this.entry(args);
    const settings = mergeMap(mapFromStored(before.settings), mapFromStored(args.patch));
    const bytes = toStored(settings, this.#limits.valueSize);
    this.#put(args, bytes, before.created, args.at);
    return { ...before, settings: bytes, modified: args.at };
  }

  remove(args: BucketArgs): boolean {
    const entry = this.#buckets.get(args.user, args.bucket);
    if (entry === undefined) return false;
    this.#known.delete(userKey(args.user, args.bucket));
    this.#buckets.remove(entry.id);
    return true;
  }

  clear(args: BucketArgs): undefined {
    const { id } = this.entry(args);
    this.#known.delete(userKey(args.user, args.bucket));
    this.#buckets.empty(id);
  }

  count(args: BucketArgs): number {
    return this.entry(args).rows;
  }

  /** A bucket that has to be there. */
  entry(args: BucketArgs): BucketEntry {
    const entry = this.#buckets.get(args.user, args.bucket);
    if (entry === undefined) throw missing('bucket', args.bucket);
    return entry;
  }

  write(args: Writes['bucketWrite']['args']): WrittenRows {
    const created = this.#makeIfAbsent(args);
    const bucket = this.#know(args);
    if (!bucket.rules.enabled) {
      throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', `the bucket "${args.bucket}" is not enabled`);
    }
    // All of them before the first is written: there may be none for one of them.
    const times = args.devices.map(
      (device, index) => args.ts[index] ?? this.#clock.next(bucket.id, device, args.at),
    );
    let added = 0;
    for (const [index, value] of unpackValues(args.values).entries()) {
      const { [index]: ts = args.at } = times;
      if (this.#points.put(bucket.id, ts, args.devices[index] ?? '', value)) added++;
    }
    const limit = Math.max(MIN_PRUNED, 2 * args.ts.length);
    const pruned = this.#removeOld(bucket, args.at, bucket.rows + added, limit);
    this.#addRows(bucket, added - pruned);
    return { ts: times, added, pruned, created };
  }

  /** Removes what is too old or too much, up to {@link PRUNE_STEP} rows. */
  prune(args: Writes['bucketPrune']['args']): number {
    const bucket = this.#know(args);
    const pruned = this.#removeOld(bucket, args.at, bucket.rows, PRUNE_STEP);
    this.#addRows(bucket, -pruned);
    return pruned;
  }

  #makeIfAbsent({ user, bucket, at, create: settings }: Writes['bucketWrite']['args']): boolean {
    if (settings === undefined || this.#known.has(userKey(user, bucket))) return false;
    if (this.#buckets.get(user, bucket) !== undefined) return false;
    this.define({ user, bucket, settings, at, expect: 'absent' });
    return true;
  }

  #put(key: BucketArgs, settings: Uint8Array, created: number, modified: number): void {
    const map = mapFromStored(settings);
    bucketRules(map, this.#limits.rowsPerBucket);
    this.#known.delete(userKey(key.user, key.bucket));
    const { user, bucket } = key;
    this.#buckets.put({ user, bucket, settings, search: searchText(bucket, map), created, modified });
  }

  #removeOld({ id, rules }: KnownBucket, at: number, rows: number, limit: number): number {
    const excess = Math.min(rows - rules.keepCount, limit);
    const byCount = excess > 0 ? this.#points.removeOldest(id, excess) : 0;
    if (rules.keepMs === Infinity || byCount >= limit) return byCount;
    return byCount + this.#points.removeBefore(id, at - rules.keepMs, limit - byCount);
  }

  #addRows(bucket: KnownBucket, count: number): void {
    if (count === 0) return;
    bucket.rows += count;
    this.#buckets.addRows(bucket.id, count);
  }

  #know(args: BucketArgs): KnownBucket {
    const key = userKey(args.user, args.bucket);
    let known = this.#known.get(key);
    if (known !== undefined) return known;
    const { id, rows, settings } = this.entry(args);
    known = { id, rows, rules: bucketRules(mapFromStored(settings), this.#limits.rowsPerBucket) };
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }
}
