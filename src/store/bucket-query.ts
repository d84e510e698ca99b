import type { AggregationFunction } from './aggregation/aggregation-function';
import type { SpanName } from './aggregation/span-name';

/** Which rows of a bucket are meant. */
export interface RowSelection {
  /** Earliest time, in ms since 1970, included. */
  readonly minTs?: number;
  /** Latest time, in ms since 1970, included. */
  readonly maxTs?: number;
  /** Only rows of these devices; one device is found by an index, several by reading all rows of the range. */
  readonly devices?: readonly string[];
  /** Only rows whose members have one of these values each, compared as texts; members by path. */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
}

/** A range of rows. */
export interface BucketRange extends RowSelection {
  /** `asc`: oldest first, unless given otherwise. */
  readonly sort?: 'asc' | 'desc';
  /** How many at most, 1 to 1,000; 1,000 unless given. */
  readonly limit?: number;
  /** How many to pass over. */
  readonly offset?: number;
  /** Where the page before ended, for the same query. */
  readonly cursor?: string;
  /** Paths of the members wanted, such as `temperature` or `location.lat`; all unless given. */
  readonly fields?: readonly string[];
}

/** The newest rows of each device. */
export interface LatestRows extends RowSelection {
  /** How many of each device, 1 to 1,000; 1 unless given. */
  readonly perDevice?: number;
  readonly fields?: readonly string[];
}

/** How rows are made into one row for each span of time. */
export interface BucketAggregation extends RowSelection {
  /** Length of the spans. Those of minutes and hours divide the local day; weeks begin on Monday. */
  readonly span: SpanName;
  readonly function: AggregationFunction;
  /** Zone whose clock and calendar are meant, such as `Europe/Madrid`; `UTC` unless given. */
  readonly timeZone?: string;
  /** `device`: a row for each device of a span; one for all unless given. */
  readonly groupBy?: 'device';
  readonly sort?: 'asc' | 'desc';
  /** How many rows at most, 1 to 1,000; 1,000 unless given. A span is never split: its devices may exceed the limit. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly fields?: readonly string[];
}
