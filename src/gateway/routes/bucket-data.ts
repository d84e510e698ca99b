import { z } from 'zod';
import { snapshot } from '../../codec/snapshot';
import { MAX_TS, type BucketRow, type NewRow } from '../../store/bucket-row';
import { besideColumns, deviceColumn } from '../../store/row-columns';
import { isMap } from '../../types';
import { EMPTY, json } from '../http/answer';
import { badRequest } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { aggregationName, dataQuery, queryRows, selectionOf } from './bucket-query';
import { bucketOf, knownBucket } from './buckets';
import type { ListRow } from './list';

const ABOUT = { ...PLAIN, asset: 'Bucket', id: 'bucket' } as const;
const V1 = '/v1/users/:user/buckets/:bucket';

/** The form of a row in a version of the API. */
type RowShape = (row: BucketRow, aggregation: string | undefined) => ListRow;

/** `{ts, val}`, or the name of the aggregation in place of `val`. */
const wrapped: RowShape = ({ ts, device, value }, aggregation = 'val') => ({
  ...deviceColumn(device),
  ts,
  [aggregation]: value,
});

const flat: RowShape = ({ ts, device, value }) => besideColumns({ ...deviceColumn(device), ts }, value);

const OF_DEVICE = { asset: 'Device', id: 'device', action: 'ReadDeviceBucket' } as const;
const DEVICE_PATH = '/users/:user/devices/:device/buckets/:bucket';

const READS = [
  { path: V1, shape: wrapped, asset: 'Bucket', id: 'bucket', action: 'ReadBucket' },
  { path: V1.replace('v1', 'v2'), shape: flat, asset: 'Bucket', id: 'bucket', action: 'ReadBucket' },
  { ...OF_DEVICE, path: `/v1${DEVICE_PATH}`, shape: wrapped },
  { ...OF_DEVICE, path: `/v2${DEVICE_PATH}`, shape: flat },
  { ...OF_DEVICE, path: `/v3${DEVICE_PATH}`, shape: flat },
] as const;

/** Routes that write, read and remove rows of buckets (`platform-api.md` section 5). */
export const bucketDataRoutes: readonly Route[] = [
  ...READS.flatMap(readRoutes),
  route({
    ...ABOUT,
    method: 'POST',
    path: `${V1}/data`,
    action: 'WriteBucket',
    summary: 'Write a row, or a list of rows; "ts" (ms since 1970) is the time of a row',
    body: z.unknown(),
    async handle({ context, param, body }) {
      await context.services.buckets.write(bucketOf(param), [body].flat().map(newRow));
      return EMPTY;
    },
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${V1}/data`,
    action: 'DeleteBucketData',
    summary: 'Delete all rows of a bucket',
    async handle({ context, param }) {
      await context.services.buckets.clear(bucketOf(param));
      return EMPTY;
    },
  }),
];

function readRoutes({ path, shape, asset, id, action }: (typeof READS)[number]): Route[] {
  const about = { ...PLAIN, asset, id, action, method: 'GET' } as const;
  return [
    route({
      ...about,
      path: `${path}/data`,
      summary: 'Read rows; tags of the bucket, and device, choose them by their values',
      query: dataQuery,
      answer: z.array(z.looseObject({ ts: z.number() })),
      async handle({ context, param, query, parameters }) {
        const bucket = await knownBucket(context, bucketOf(param));
        const chosen = ofDevice(parameters, param('device'));
        const rows = await queryRows(context.services.buckets, bucket, query, chosen);
        const aggregation = aggregationName(query);
        return json(rows.map((row) => shape(row, aggregation)));
      },
    }),
    route({
      ...about,
      path: `${path}/tags`,
      summary: 'List the tags of a bucket',
      answer: z.array(z.string()),
      async handle({ context, param }) {
        const { tags = [] } = (await knownBucket(context, bucketOf(param))).settings;
        return json(tags);
      },
    }),
    route({
      ...about,
      path: `${path}/tags/:tag`,
      summary: 'List the values that a tag has',
      query: dataQuery,
      answer: z.array(z.string()),
      async handle({ context, param, query, parameters }) {
        const bucket = await knownBucket(context, bucketOf(param));
        const selection = selectionOf(bucket, query, ofDevice(parameters, param('device')));
        return json(await context.services.buckets.tagValues(bucket, param('tag'), selection));
      },
    }),
  ];
}

/** The filter for the rows of the device that a path names. */
function ofDevice(parameters: URLSearchParams, device: string): URLSearchParams {
  const chosen = new URLSearchParams(parameters);
  if (device !== '') chosen.set('device', device);
  return chosen;
}

function newRow(item: unknown): NewRow {
  const row = item === undefined ? undefined : snapshot(item);
  if (!isMap(row)) throw badRequest('body: a map of values expected, or a list of them');
  const { ts, ...value } = row;
  if (Object.keys(value).length === 0) throw badRequest('body: a row needs a value');
  if (ts === undefined || ts === null) return { value };
  if (typeof ts !== 'number' || !Number.isInteger(ts) || ts < 0 || ts > MAX_TS) {
    throw badRequest('body.ts: has to be a number of ms since 1970');
  }
  return { ts, value };
}
