import { randomUUID } from 'node:crypto';
import type { BucketKey } from '../../store/bucket-store';
import { BoundedMap } from '../../util/bounded-map';
import type { Clock } from '../../util/clock';

/** Forms that a bucket can be exported in. */
export const EXPORT_TYPES = ['csv', 'arff', 'json'] as const;
export type ExportType = (typeof EXPORT_TYPES)[number];

/** Forms that times can be written in. */
export const TIMESTAMP_FORMATS = ['iso', 'seconds', 'milliseconds'] as const;
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number];

/** The contents and the form of an export. */
export interface ExportOrder extends BucketKey {
  readonly type: ExportType;
  readonly timestamps: TimestampFormat;
  /** In ms since 1970; both times are included. */
  readonly minTs: number;
  readonly maxTs: number;
}

interface PlacedOrder {
  readonly order: ExportOrder;
  readonly at: number;
}

/** Maximum number of orders. */
const MAX_EXPORTS = 10_000;
/** Maximum number of orders of one user: a user with too many orders loses his own first. */
const MAX_OF_USER = 100;
const LIFETIME_MS = 3_600_000;

/**
 * Exports that were ordered, by the names of their files. Only the order is kept: the rows are read while the file is
 * fetched, so that an export takes no room, however large it is. An order is valid for an hour. Of too many orders the
 * oldest gives way.
 */
export class BucketExports {
  readonly #clock: Clock;
  readonly #orders = new BoundedMap<string, PlacedOrder>(MAX_EXPORTS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes an order. Returns the name of its file. */
  add(order: ExportOrder): string {
    const file = `${order.bucket}_${randomUUID()}.${order.type}`;
    this.#orders.set(file, { order, at: this.#clock.now() });
    const ofUser = [...this.#orders].filter(([, placed]) => placed.order.user === order.user);
    const [surplus] = ofUser.length > MAX_OF_USER ? (ofUser[0] ?? []) : [];
    if (surplus !== undefined) this.#orders.delete(surplus);
    return file;
  }

  /** The order of a file of this bucket, while the order is valid. */
  get({ user, bucket }: BucketKey, file: string): ExportOrder | undefined {
    const placed = this.#orders.get(file);
    if (placed?.order.user !== user || placed.order.bucket !== bucket) return undefined;
    if (this.#clock.now() - placed.at < LIFETIME_MS) return placed.order;
    this.#orders.delete(file);
    return undefined;
  }
}
