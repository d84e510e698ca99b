import type { Value } from '../types';

/** Latest time of a row, in ms since 1970: the last that a Date can hold. */
export const MAX_TS = 8.64e15;

/** A row to be written. */
export interface NewRow {
  /** Its time in ms since 1970, 0 to 8.64e15. Unless given, the time of the write or, where its device has a row of that time, the next that is free. */
  readonly ts?: number | undefined;
  /** The device that it comes from, if any. */
  readonly device?: string;
  readonly value: Readonly<Record<string, Value>>;
}

/** A row of a bucket, or one made of many by aggregation: then `ts` is the start of their span of time. */
export interface BucketRow {
  readonly ts: number;
  readonly device?: string;
  readonly value: Readonly<Record<string, Value>>;
}

/** Some rows. */
export interface RowPage {
  readonly rows: readonly BucketRow[];
  /**
   * Where the next page begins; absent on the last one. A page may be shorter than its limit although there is more, as
   * it ends at 8 MiB too.
   */
  readonly cursor?: string;
}
