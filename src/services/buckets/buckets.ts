import type { IotmpServer } from '../../broker/broker';
import type { HubState } from '../../broker/hub/stream-hub';
import { ServiceCode } from '../../codec/constants';
import { snapshot } from '../../codec/snapshot';
import { IotmpError } from '../../errors';
import type { BucketAggregation, BucketRange, LatestRows, RowSelection } from '../../store/bucket-query';
import type { BucketRow, NewRow, RowPage } from '../../store/bucket-row';
import type { Bucket, BucketKey, BucketSettings, WrittenRows } from '../../store/bucket-store';
import { besideColumns, deviceColumn } from '../../store/row-columns';
import { mergeMap } from '../../store/merge-patch';
import type { Page } from '../../store/page';
import { isMap, type Value } from '../../types';
import { systemClock, type Clock } from '../../util/clock';
import { userKey } from '../../util/device-key';
import { memorySize } from '../../util/memory-size';
import { OrderedOutcomes } from '../ordered-outcomes';
import type { Service, ServiceCall, ServiceOffer } from '../service';
import { badRequest, serviceName } from '../service-name';
import type { StoreAccess } from '../store-access';
import type { Topics } from '../topics/topics';
import { bucketSource, rowOfSample } from './bucket-source';
import { BucketUpkeep } from './bucket-upkeep';
import { checkRowTime } from './row-time';

/** Options of {@link Buckets}. */
export interface BucketsOptions {
  /** Whether a write of a device creates a missing bucket. True by default. */
  readonly autoCreate?: boolean;
  /** The clock for feeds and for the removal of old rows. The system clock by default. */
  readonly clock?: Clock;
}

/** Settings of a bucket that its first row creates. */
const MADE_BY_WRITE: BucketSettings = { config: { source: 'write' } };

/**
 * Service 5: data buckets (`protocol.md` section 7), rows of values by time. A device writes a map of values to a bucket
 * of its user, or one value, which becomes the member `value`. The row has the time of its arrival and the device as its
 * tag. It is kept when the device gets its OK. A
 * device's member `ts` is an ordinary value, because few devices have a clock. The first write of a device creates a
 * missing bucket (`config: {source: "write"}`), unless `autoCreate` is false. Flows and programs do all other work.
 *
 * Refused are: a bad name, a write without a value, and a row whose given time is before 2000, more than a day ahead or
 * older than the retention (400), a missing bucket (404), a bucket that is not enabled (405), one bucket too many (409), a row past the store's limit (413) or past the bytes of its user's rows (507), and everything while the store fails (503, 507).
 *
 * The events `bucket_create`, `bucket_update` and `bucket_delete` have the settings beside `bucket`. Each row is an event
 * `bucket_write` with `bucket` and `data`, at the time of the row. `data` has the values of the row and its device. All
 * writes must go through here: other writes publish nothing.
 *
 * A bucket with `config: {source: "device", ...}` is fed from a device's stream. A bucket with
 * `config: {source: "mqtt", topic}` is fed from topics. See {@link bucketSource}, `DeviceFeed` and `TopicFeed`.
 */
export class Buckets implements Service {
  readonly offers: readonly ServiceOffer[] = [
    {
      code: ServiceCode.WRITE_BUCKET,
      name: 'write_bucket',
      action: 'WriteBucket',
      run: (call) => this.#serveWrite(call),
    },
  ];
  readonly #server: IotmpServer;
  readonly #store: StoreAccess;
  readonly #autoCreate: boolean;
  readonly #outcomes = new OrderedOutcomes();
  readonly #upkeep: BucketUpkeep;

  constructor(
    server: IotmpServer,
    store: StoreAccess,
    topics: Pick<Topics, 'subscribe'>,
    { autoCreate = true, clock = systemClock }: BucketsOptions = {},
  ) {
    this.#server = server;
    this.#store = store;
    this.#autoCreate = autoCreate;
    const write = (key: BucketKey, row: NewRow): Promise<unknown> => this.#write(key, [row]);
    this.#upkeep = new BucketUpkeep({ server, store, topics, clock, write });
  }

  /** @internal Loads the saved buckets. Must be called once. */
  start(): void {
    this.#upkeep.start();
  }

  /** Number of buckets that are fed from a device's stream or from topics. */
  get feeds(): number {
    return this.#upkeep.feeds;
  }

  /** The state of the stream that feeds a bucket; `undefined` if no stream does. */
  sourceState(key: BucketKey): HubState | undefined {
    return this.#upkeep.sourceState(key);
  }

  /** A bucket, or undefined. All methods here reject with IOTMP_ERR_PROTOCOL for a bad name, and if the store does. */
  async get(key: BucketKey): Promise<Bucket | undefined> {
    return this.#store.use(({ buckets }) => buckets.get(checkedKey(key)));
  }

  /** The buckets of one user or, by default, of all users, by user and id. */
  async list(user?: string, page?: Page): Promise<Bucket[]> {
    return this.#store.use(({ buckets }) => buckets.list(user, page));
  }

  /**
   * Creates a bucket, or replaces the settings of a bucket. With `expect`, rejects unless the bucket is `absent`
   * (IOTMP_ERR_CONFLICT) or `present` (IOTMP_ERR_NOT_FOUND).
   */
  async define(
    key: BucketKey,
    settings: BucketSettings,
    expect?: 'absent' | 'present',
  ): Promise<'created' | 'updated'> {
    const checked = checkedKey(key);
    const kept = checkedSettings(snapshotMap(settings));
    const work = this.#store.use(({ buckets }) => buckets.define(checked, kept, expect));
    return this.#outcomes.add(userKey(checked.user, checked.bucket), work, (outcome) => {
      this.#take(checked, kept, outcome === 'created' ? 'bucket_create' : 'bucket_update');
      return outcome;
    });
  }

  /** Changes some settings, as a JSON merge patch (RFC 7396) does. Resolves with the changed bucket. */
  async update(key: BucketKey, patch: BucketSettings): Promise<Bucket> {
    const checked = checkedKey(key);
    const kept = snapshotMap(patch);
    const before = await this.get(checked);
    checkedSettings(mergeMap(before?.settings ?? {}, kept));
    const work = this.#store.use(({ buckets }) => buckets.update(checked, kept));
    return this.#outcomes.add(userKey(checked.user, checked.bucket), work, (bucket) => {
      this.#take(checked, bucket.settings, 'bucket_update');
      return bucket;
    });
  }

  /** Removes a bucket and its rows. Resolves with whether it was there. */
  async remove(key: BucketKey): Promise<boolean> {
    const checked = checkedKey(key);
    const work = this.#store.use(({ buckets }) => buckets.remove(checked));
    return this.#outcomes.add(userKey(checked.user, checked.bucket), work, (wasThere) => {
      this.#upkeep.remove(checked);
      if (wasThere) this.#publish('bucket_delete', checked);
      return wasThere;
    });
  }

  /**
   * Writes rows, all or none. A row without a time gets a free time. A row with the time of another row of its device
   * replaces that row. With `create`, a missing bucket is created as by a device; otherwise rejects with
   * IOTMP_ERR_NOT_FOUND. Rejects with IOTMP_ERR_CONFIG for a time before 2000, more than a day ahead or older than the
   * retention.
   */
  async write(
    key: BucketKey,
    rows: readonly NewRow[],
    { create = false }: { readonly create?: boolean } = {},
  ): Promise<WrittenRows> {
    const checked = checkedKey(key);
    for (const { ts } of rows) checkRowTime(ts);
    const kept = rows.map((row) => ({ ...row, value: snapshotMap(row.value) }));
    return this.#write(checked, kept, create ? MADE_BY_WRITE : undefined);
  }

  /** Removes all rows. The bucket stays. */
  async clear(key: BucketKey): Promise<void> {
    return this.#store.use(({ buckets }) => buckets.clear(checkedKey(key)));
  }

  /** Rows of a time range, by time. */
  async range(key: BucketKey, query?: BucketRange): Promise<RowPage> {
    return this.#store.use(({ buckets }) => buckets.range(checkedKey(key), query));
  }

  /** All rows of a time range, page by page, as for an export. */
  async *scan(
    key: BucketKey,
    query?: Omit<BucketRange, 'cursor' | 'offset' | 'limit'>,
  ): AsyncGenerator<BucketRow[], undefined> {
    const pages = await this.#store.use(({ buckets }) =>
      Promise.resolve(buckets.scan(checkedKey(key), query)),
    );
    yield* pages;
  }

  /** The newest rows of each device. */
  async latest(key: BucketKey, query?: LatestRows): Promise<BucketRow[]> {
    return this.#store.use(({ buckets }) => buckets.latest(checkedKey(key), query));
  }

  /** One row for each span of time. */
  async aggregate(key: BucketKey, query: BucketAggregation): Promise<RowPage> {
    return this.#store.use(({ buckets }) => buckets.aggregate(checkedKey(key), query));
  }

  /** The values of a tag. */
  async tagValues(key: BucketKey, tag: string, selection?: RowSelection): Promise<string[]> {
    return this.#store.use(({ buckets }) => buckets.tagValues(checkedKey(key), tag, selection));
  }

  close(): void {
    this.#upkeep.close();
  }

  async #serveWrite({ caller, parameters, payload }: ServiceCall): Promise<void> {
    const key = { user: caller.user, bucket: serviceName(parameters) };
    const value = rowOfSample('value', payload);
    if (value === undefined) throw badRequest('a value expected');
    const rows = [{ device: caller.device, value }];
    const create = this.#autoCreate ? MADE_BY_WRITE : undefined;
    await this.#store.inTurn(caller, memorySize(value), () => this.#write(key, rows, create));
  }

  #write(key: BucketKey, rows: readonly NewRow[], create?: BucketSettings): Promise<WrittenRows> {
    const work = this.#store.use(({ buckets }) => buckets.write(key, rows, create));
    return this.#outcomes.add(userKey(key.user, key.bucket), work, (written) => {
      if (written.created) this.#take(key, create ?? {}, 'bucket_create');
      this.#tellRows(key, rows, written.ts);
      return written;
    });
  }

  #tellRows(key: BucketKey, rows: readonly NewRow[], times: readonly number[]): void {
    for (const [index, { device, value }] of rows.entries()) {
      const { [index]: ts = Date.now() } = times;
      const from = deviceColumn(device);
      const about = { user: key.user, ...from, ts, bucket: key.bucket };
      this.#server.events.publish({ event: 'bucket_write', ...about, data: besideColumns(from, value) });
    }
  }

  /** Applies new settings of a bucket and publishes them. */
  #take(key: BucketKey, settings: BucketSettings, event: 'bucket_create' | 'bucket_update'): void {
    this.#upkeep.set(key, settings);
    this.#publish(event, key, settings);
  }

  /** The fields of an event. Settings of the same name do not replace the event's own fields. */
  #publish(event: string, { user, bucket }: BucketKey, settings: BucketSettings = {}): void {
    this.#server.events.publish({ ...settings, event, user, ts: Date.now(), bucket });
  }
}

function checkedKey({ user, bucket }: BucketKey): BucketKey {
  return { user, bucket: serviceName(bucket) };
}

/** Checks the source in the settings. The store checks the settings that it uses itself. */
function checkedSettings(settings: Record<string, Value>): Record<string, Value> {
  bucketSource(settings);
  return settings;
}

function snapshotMap(value: unknown): Record<string, Value> {
  const kept = snapshot(value);
  if (isMap(kept)) return kept;
  throw new IotmpError('IOTMP_ERR_CONFIG', 'a map of values expected');
}
