import { randomUUID } from 'node:crypto';
import type { BucketKey } from '../../store/bucket-store';
import type { Clock } from '../../util/clock';

/** Forms that a bucket can be exported in. */
export const EXPORT_TYPES = ['csv', 'arff', 'json'] as const;
export type ExportType = (typeof EXPORT_TYPES)[number];

/** How times are written. */
export const TIMESTAMP_FORMATS = ['iso', 'seconds', 'milliseconds'] as const;
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number];

/** What an export holds. */
export interface ExportOrder extends BucketKey {
  readonly type: ExportType;
  readonly timestamps: TimestampFormat;
  /** In ms since 1970, both included. */
  readonly minTs: number;
  readonly maxTs: number;
}

interface Kept {
  readonly order: ExportOrder;
  readonly at: number;
}

/** Of all, and of one user: whoever orders too many loses his own. */
const MAX_EXPORTS = 10_000;
const MAX_OF_USER = 100;
const LIFETIME_MS = 3_600_000;

/**
 * Exports that were ordered, by the names of their files. What is remembered is the order: the rows are read as the file
 * is fetched, so that an export takes no room, however large it is. An order counts for an hour; of too many, the oldest
 * go.
 */
export class BucketExports {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes an order; returns the name of the file. */
  add(order: ExportOrder): string {
    const file = `${order.bucket}_${randomUUID()}.${order.type}`;
    this.#kept.set(file, { order, at: this.#clock.now() });
    const ofUser = [...this.#kept].filter(([, kept]) => kept.order.user === order.user);
    const [surplus] = ofUser.length > MAX_OF_USER ? (ofUser[0] ?? []) : [];
    if (surplus !== undefined) this.#kept.delete(surplus);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_EXPORTS && oldest !== undefined) this.#kept.delete(oldest);
    return file;
  }

  /** The order of a file of this bucket, while it counts. */
  get({ user, bucket }: BucketKey, file: string): ExportOrder | undefined {
    const kept = this.#kept.get(file);
    if (kept?.order.user !== user || kept.order.bucket !== bucket) return undefined;
    if (this.#clock.now() - kept.at < LIFETIME_MS) return kept.order;
    this.#kept.delete(file);
    return undefined;
  }
}
