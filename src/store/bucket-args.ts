import { parseAggregationFunction, type AggregationFunction } from './aggregation/aggregation-function';
import { parseSpan, type SpanName } from './aggregation/span-name';
import type { BucketAggregation, BucketRange, LatestRows, RowSelection } from './bucket-query';
import { MAX_TS } from './bucket-row';
import type { BucketKey } from './bucket-store';
import { checkCount, checkName, checkTime, unusable } from './checks';
import { MAX_PAGE } from './page';

/** The place of a row among those of its bucket. */
export interface PointKey {
  readonly ts: number;
  /** Number of the device in its bucket, by first appearance. */
  readonly series: number;
}

/** A {@link RowSelection} of a bucket with all defaults. */
export interface SelectionArgs extends BucketKey {
  readonly minTs: number;
  readonly maxTs: number;
  readonly devices: readonly string[] | undefined;
  readonly tags: readonly (readonly [path: string, values: readonly string[]])[];
}

/** A {@link BucketRange} with all defaults. */
export interface RangeArgs extends SelectionArgs {
  readonly ascending: boolean;
  readonly after: PointKey | undefined;
  readonly offset: number;
  readonly limit: number;
  readonly fields: readonly string[] | undefined;
}

/** {@link LatestRows} with all defaults. */
export interface LatestArgs extends SelectionArgs {
  readonly perDevice: number;
  readonly fields: readonly string[] | undefined;
}

/** A {@link BucketAggregation} with all defaults. */
export interface AggregateArgs extends SelectionArgs {
  readonly span: SpanName;
  readonly function: AggregationFunction;
  readonly timeZone: string;
  readonly groupBy: 'device' | undefined;
  readonly ascending: boolean;
  readonly limit: number;
  readonly fields: readonly string[] | undefined;
}

/** Maximum number of paths or devices that a query may name. */
const MAX_NAMES = 1000;

/** The names of a bucket. All checks here throw `IOTMP_ERR_CONFIG` for what is not usable. */
export function checkedBucket({ user, bucket }: BucketKey): BucketKey {
  return { user: checkName('a user', user), bucket: checkName('a bucket', bucket) };
}

/** A selection of rows with its defaults. */
export function selectionArgs(key: BucketKey, selection: RowSelection): SelectionArgs {
  const { minTs = 0, maxTs = MAX_TS, devices, tags = {} } = selection;
  return {
    ...checkedBucket(key),
    minTs: checkTime('minTs', minTs),
    maxTs: checkTime('maxTs', maxTs),
    devices: devices && checkNames('a device', devices),
    tags: checkNames('a tag', Object.keys(tags)).map((path) => [path, tags[path] ?? []]),
  };
}

/** A range of rows with its defaults. */
export function rangeArgs(key: BucketKey, query: BucketRange): RangeArgs {
  const { cursor, offset = 0 } = query;
  return {
    ...selectionArgs(key, query),
    ascending: isAscending(query.sort),
    after: cursor === undefined ? undefined : parsePointCursor(cursor),
    offset: checkCount('offset', offset, 0, Number.MAX_SAFE_INTEGER),
    limit: checkLimit(query.limit),
    fields: checkFields(query.fields),
  };
}

/** A query for the newest rows with its defaults. */
export function latestArgs(key: BucketKey, query: LatestRows): LatestArgs {
  return {
    ...selectionArgs(key, query),
    perDevice: checkCount('perDevice', query.perDevice ?? 1, 1, MAX_PAGE),
    fields: checkFields(query.fields),
  };
}

/** An aggregation with its defaults. Its cursor is the time at which the next span begins (or ends, read backwards). */
export function aggregateArgs(key: BucketKey, query: BucketAggregation): AggregateArgs {
  const args = {
    ...selectionArgs(key, query),
    span: parseSpan(query.span),
    function: parseAggregationFunction(query.function),
    timeZone: query.timeZone ?? 'UTC',
    groupBy: query.groupBy,
    ascending: isAscending(query.sort),
    limit: checkLimit(query.limit),
    fields: checkFields(query.fields),
  };
  if (query.groupBy !== undefined && !isDevice(query.groupBy))
    throw unusable('rows are grouped by device only');
  if (query.cursor === undefined) return args;
  const ts = checkTime('cursor', Number(query.cursor));
  return args.ascending ? { ...args, minTs: ts } : { ...args, maxTs: ts };
}

/** The place of a row as a text. */
export function pointCursor({ ts, series }: PointKey): string {
  return `${ts}.${series}`;
}

function parsePointCursor(cursor: string): PointKey {
  const [, ts, series] = /^(\d{1,16})\.(\d{1,16})$/.exec(cursor) ?? [];
  if (ts === undefined || series === undefined) throw unusable('no such cursor');
  return { ts: checkTime('cursor', Number(ts)), series: Number(series) };
}

/** Programs send texts: the type is no proof. */
function isAscending(sort = 'asc'): boolean {
  if (sort === 'asc' || sort === 'desc') return sort === 'asc';
  throw unusable('sort has to be asc or desc');
}

function isDevice(group: string): boolean {
  return group === 'device';
}

function checkLimit(limit = MAX_PAGE): number {
  return checkCount('limit', limit, 1, MAX_PAGE);
}

function checkFields(fields: readonly string[] | undefined): readonly string[] | undefined {
  return fields && checkNames('a field', fields);
}

function checkNames(what: string, names: readonly string[]): string[] {
  if (names.length > MAX_NAMES) throw unusable(`more than ${MAX_NAMES} names at once`);
  return names.map((name) => checkName(what, name));
}
