import type { BucketAggregation, BucketRange, LatestRows, RowSelection } from './bucket-query';
import type { DocumentBody } from './document-store';
import type { Page } from './page';
import type { BucketRow, NewRow, RowPage } from './bucket-row';

/** Which bucket. */
export interface BucketKey {
  readonly user: string;
  readonly bucket: string;
}

/**
 * The settings of a bucket: a map of anything (`description`, `config`, `asset_type` ...), of which the store itself heeds
 *
 * - `name`: is looked for by the `name` of a list's page, as the id is;
 * - `enabled`: false refuses writes;
 * - `tags`: at most 5 names of members, by whose values rows are told apart;
 * - `retention`: `{period, unit}`, unit being seconds, minutes, hours, days, weeks, months (of 31 days) or years (of 366):
 *   older rows go; `{count}`: only so many rows stay, the newest. Absent or 0: for ever.
 */
export type BucketSettings = DocumentBody;

/** A bucket and what is known of it. */
export interface Bucket extends BucketKey {
  readonly settings: BucketSettings;
  /** How many rows it holds. */
  readonly rows: number;
  /** When it was made, in ms since 1970. */
  readonly created: number;
  /** When its settings last became others, in ms since 1970. */
  readonly modified: number;
}

/** What a write of rows did. */
export interface WrittenRows {
  /** The time of each row, in the order in which they were given. */
  readonly ts: readonly number[];
  /** How many rows were new; the others took the place of rows of the same time and device. */
  readonly added: number;
  /** How many old rows went because of the bucket's retention. */
  readonly pruned: number;
  /** Whether the bucket was made by this write. */
  readonly created: boolean;
}

/**
 * Data buckets: rows of values by time (`protocol.md` section 7, service 5). Whatever names a bucket that is not there
 * rejects with `IOTMP_ERR_NOT_FOUND`, but for `get`, `define` and `remove`, and a `write` that makes the bucket.
 */
export interface BucketStore {
  /** One bucket, or undefined. */
  get(key: BucketKey): Promise<Bucket | undefined>;

  /**
   * Makes a bucket or replaces the settings of one, whose rows stay. With `expect`, only if it is `absent` so far (else
   * `IOTMP_ERR_CONFLICT`) or `present` (else `IOTMP_ERR_NOT_FOUND`). `IOTMP_ERR_QUOTA` for a user's one too many.
   */
  define(
    key: BucketKey,
    settings: BucketSettings,
    expect?: 'absent' | 'present',
  ): Promise<'created' | 'updated'>;

  /** Changes some settings, as a JSON merge patch (RFC 7396) does; answers the bucket as it is then. */
  update(key: BucketKey, patch: BucketSettings): Promise<Bucket>;

  /** Buckets by user and id: those of one user or, without one, of all. */
  list(user?: string, page?: Page): Promise<Bucket[]>;

  /** Removes a bucket and its rows; answers whether it was there. The space is given back little by little. */
  remove(key: BucketKey): Promise<boolean>;

  /**
   * Writes rows, all or none. A row that is given the time of one of its device takes its place; one without a time never
   * does. Rejects with `IOTMP_ERR_NOT_ALLOWED` for a bucket that is not enabled, `IOTMP_ERR_TOO_LARGE` for a value past
   * the limit, or for more rows at once than the limit, `IOTMP_ERR_CONFIG` for a given time that the retention would remove
   * at once, and `IOTMP_ERR_BUSY` for rows without a time that would run 10 s ahead of it.
   *
   * @param create settings of the bucket, where there is none yet; without them, such a write is refused
   */
  write(key: BucketKey, rows: readonly NewRow[], create?: BucketSettings): Promise<WrittenRows>;

  /** Rows of a time range, by time; those of one time in the order in which their devices first wrote. */
  range(key: BucketKey, query?: BucketRange): Promise<RowPage>;

  /** All rows of a time range, page by page, as for an export. Rows that are written meanwhile may be among them. */
  scan(key: BucketKey, query?: Omit<BucketRange, 'cursor' | 'offset' | 'limit'>): AsyncIterable<BucketRow[]>;

  /** The newest rows of each device: one each, unless another number is given. */
  latest(key: BucketKey, query?: LatestRows): Promise<BucketRow[]>;

  /**
   * One row for each span of time (and each device, if asked for) in which there are numbers. Rejects with
   * `IOTMP_ERR_TOO_LARGE` where more than a million numbers had to be held at once, as a median of a year may want.
   */
  aggregate(key: BucketKey, query: BucketAggregation): Promise<RowPage>;

  /**
   * The values that a tag has, as texts, sorted: those of the devices for the tag `device`, else those of a member of
   * the rows. All rows of the range are read. 1,000 values at most.
   */
  tagValues(key: BucketKey, tag: string, selection?: RowSelection): Promise<string[]>;

  /** How many rows there are. */
  count(key: BucketKey): Promise<number>;

  /**
   * Removes rows that the bucket's retention no longer allows, also where nothing is written any more; answers how many
   * went. Every write does a part of this already, so once an hour is often enough.
   */
  prune(key: BucketKey): Promise<number>;

  /** Removes all rows; the bucket stays. The space is given back little by little. */
  clear(key: BucketKey): Promise<void>;
}
