import { z } from 'zod';
import { toUnixMs } from '../../util/unix-time';
import type { Buckets } from '../../services/buckets/buckets';
import { parseAggregationFunction } from '../../store/aggregation/aggregation-function';
import { parseSpan } from '../../store/aggregation/span-name';
import { parseTransform, transformRows } from '../../store/aggregation/transform';
import { IotmpError } from '../../errors';
import type { BucketAggregation, BucketRange, RowSelection } from '../../store/bucket-query';
import type { BucketRow, RowPage } from '../../store/bucket-row';
import type { Bucket } from '../../store/bucket-store';

/** Maximum number of rows in an answer; of each device, where they are told apart. */
const MAX_ITEMS = 1000;
/** Maximum number of rows of all devices together. */
const MAX_GROUPED = 50_000;

/** A client in the field writes one `m` too many. */
const spelled = (transform: string): string => transform.replace('cummulative', 'cumulative');
/** Clients do not escape the `+` of `Etc/GMT+1`, which is a blank in a query. */
const withPlus = (zone: string): string => zone.replace(' ', '+');

const count = z
  .string()
  .regex(/^\d{0,9}$/, 'is a whole number')
  .transform((text) => (text === '' ? undefined : Number(text)))
  .optional();

const time = z
  .string()
  .regex(/^\d{0,16}$/, 'is a number of ms since 1970')
  .transform((text) => toUnixMs(Number(text)))
  .optional();

/** The query for rows of a bucket (`platform-api.md` section 5). An empty text is the same as none. */
export const dataQuery = z.object({
  items: count.describe('the rows that are meant: so many, the newest unless sorted otherwise; 1000 at most'),
  index: count.describe('how many of them to leave out'),
  count: count.describe('how many of them to give at once'),
  min_ts: time.describe('ms since 1970, or s up to 1e11; 0 = open'),
  max_ts: time.describe('ms since 1970, or s up to 1e11; 0 = open'),
  sort: z.enum(['asc', 'desc', '']).default('desc'),
  agg: z
    .string()
    .default('')
    .describe('one row for each span, such as 1m, 5min, 1h, 1d, 1w, 1mo, 1y; 1m is a minute'),
  agg_type: z.string().default('').describe('mean, median, min, max, count, sum, mode, spread or stddev'),
  transform: z.string().default('').transform(spelled),
  tz: z
    .string()
    .max(64)
    .default('')
    .transform(withPlus)
    .describe('time zone of the spans, such as Europe/Madrid'),
  fields: z.string().max(4096).default('').describe('members by path, with commas'),
  group_by: z.enum(['device', '']).default('').describe('so many items of each device'),
});

export type DataQuery = z.infer<typeof dataQuery>;

/** The aggregation that a query asks for; `undefined` for plain rows. */
export function aggregationName({ agg, agg_type }: DataQuery): string | undefined {
  return agg === '' ? undefined : parseAggregationFunction(agg_type === '' ? 'mean' : agg_type);
}

/**
 * The rows of a query. The window is the first `items` rows in the order of the query. `index` and `count` are a page in
 * the window, so that programs which page one way or the other come to an end.
 * @param parameters the whole query: tags of the bucket, and `device`, select rows by their values
 * @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG for a query that is not usable
 */
export async function queryRows(
  buckets: Buckets,
  bucket: Bucket,
  query: DataQuery,
  parameters: URLSearchParams,
): Promise<BucketRow[]> {
  const items = Math.min(query.items ?? MAX_ITEMS, MAX_ITEMS);
  const { index = 0, count: most = 0 } = query;
  if (items === 0 || index >= items) return [];
  const rows = await windowOf(buckets, bucket, query, { ...selectionOf(bucket, query, parameters), items });
  const changed = query.transform === '' ? rows : transformRows(rows, parseTransform(query.transform));
  return changed.slice(index, most === 0 ? undefined : index + most);
}

/** The rows that a query selects. */
export function selectionOf(
  { settings }: Bucket,
  { min_ts: minTs = 0, max_ts: maxTs = 0 }: Pick<DataQuery, 'min_ts' | 'max_ts'>,
  parameters: URLSearchParams,
): RowSelection {
  const { tags = [] } = settings;
  const names = (Array.isArray(tags) ? tags : []).filter((tag) => typeof tag === 'string');
  const valuesOf = (name: string): string[] => [name, `tag_${name}`].flatMap((key) => parameters.getAll(key));
  const asked = names.filter((name) => name !== 'device' && valuesOf(name).length > 0);
  const devices = parameters.getAll('device');
  return {
    ...(minTs > 0 && { minTs }),
    ...(maxTs > 0 && { maxTs }),
    ...(devices.length > 0 && { devices }),
    ...(asked.length > 0 && {
      tags: Object.fromEntries(asked.map((name): [string, string[]] => [name, valuesOf(name)])),
    }),
  };
}

async function windowOf(
  buckets: Buckets,
  bucket: Bucket,
  query: DataQuery,
  { items, ...selection }: RowSelection & { readonly items: number },
): Promise<readonly BucketRow[]> {
  const fields = query.fields.split(',').filter((field) => field !== '');
  const sort = query.sort === 'asc' ? 'asc' : 'desc';
  const wanted = { ...selection, ...(fields.length > 0 && { fields }) };
  if (query.agg === '') {
    if (query.group_by === 'device') return buckets.latest(bucket, { ...wanted, perDevice: items });
    const range: BucketRange = { ...wanted, sort };
    return collect(items, (limit, cursor) => buckets.range(bucket, { ...range, limit, ...cursor }));
  }
  const aggregation: BucketAggregation = {
    ...wanted,
    sort,
    span: parseSpan(query.agg),
    function: parseAggregationFunction(query.agg_type === '' ? 'mean' : query.agg_type),
    ...(query.tz !== '' && { timeZone: query.tz }),
  };
  if (query.group_by === 'device') {
    const grouped = { ...aggregation, groupBy: 'device' } as const;
    return collectGrouped(items, (cursor) => buckets.aggregate(bucket, { ...grouped, ...cursor }));
  }
  return collect(items, (limit, cursor) => buckets.aggregate(bucket, { ...aggregation, limit, ...cursor }));
}

/** Collects so many rows of each device, out of the first 1,000 spans of time in which there are rows. */
async function collectGrouped(
  items: number,
  ask: (cursor: { readonly cursor?: string }) => Promise<RowPage>,
): Promise<readonly BucketRow[]> {
  const rows: BucketRow[] = [];
  const counts = new Map<string, number>();
  const spans = new Set<number>();
  let next: { readonly cursor?: string } = {};
  do {
    const page = await ask(next);
    for (const row of page.rows) {
      if (spans.add(row.ts).size > MAX_ITEMS) return rows;
      const count = (counts.get(row.device ?? '') ?? 0) + 1;
      counts.set(row.device ?? '', count);
      if (count <= items) rows.push(row);
    }
    if (rows.length > MAX_GROUPED) throw tooManyRows();
    if (page.cursor === undefined) break;
    next = { cursor: page.cursor };
  } while (spans.size <= MAX_ITEMS);
  return rows;
}

function tooManyRows(): IotmpError {
  return new IotmpError(
    'IOTMP_ERR_TOO_LARGE',
    'too many rows at once: ask for a shorter time, or fewer items',
  );
}

/** Collects whole pages: a page of the store may be short although more follow, and programs take a short page for the last. */
async function collect(
  items: number,
  ask: (limit: number, cursor: { readonly cursor?: string }) => Promise<RowPage>,
): Promise<readonly BucketRow[]> {
  const rows: BucketRow[] = [];
  let next: { readonly cursor?: string } = {};
  do {
    const page = await ask(items - rows.length, next);
    rows.push(...page.rows);
    if (page.cursor === undefined) break;
    next = { cursor: page.cursor };
  } while (rows.length < items);
  return rows.slice(0, items);
}
