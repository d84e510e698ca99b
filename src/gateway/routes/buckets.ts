import { z } from 'zod';
import { snapshot } from '../../codec/snapshot';
import type { Bucket, BucketKey } from '../../store/bucket-store';
import { isMap, type Value } from '../../types';
import { checkAllowed } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json } from '../http/answer';
import { badRequest, notFound, notOffered } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { selectRows, type ListRow } from './list';
import { assetId, listQuery, longText, optionalId, projectNames, projects, shortText } from './schemas';

const PATH = '/v1/users/:user/buckets';
const ABOUT = { ...PLAIN, asset: 'Bucket', id: 'bucket' } as const;
/** Maximum number of buckets of one user, as in the store. */
export const MAX_BUCKETS = 1000;

const tagNames = z.array(z.string().max(64)).max(5);

const change = z.looseObject({
  name: shortText.optional(),
  description: longText.optional(),
  enabled: z.boolean().optional(),
  config: z
    .looseObject({ tags: tagNames.optional() })
    .optional()
    .describe(
      'where rows come from: {"source":"device","device","resource","update","interval"}, {"source":"mqtt","topic"}, ' +
        '"write", "api"',
    ),
  tags: tagNames
    .optional()
    .describe('members by whose values rows are told apart; config may hold them, too'),
  retention: z.looseObject({}).optional().describe('how long rows stay: {"period","unit"}'),
  backend: z.string().max(64).optional().describe('empty: rows are always kept in the store of the server'),
  asset_type: optionalId.optional(),
  asset_group: optionalId.optional(),
  product: optionalId.optional(),
});

export const bucketDocument = z.looseObject({
  bucket: z.string(),
  user: z.string(),
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  config: z.looseObject({ tags: z.array(z.string()).optional() }),
  rows: z.number(),
  created: z.number(),
  modified: z.number(),
});

/** Members of a document that settings cannot replace. */
const OWN_MEMBERS: readonly string[] = ['bucket', 'user', 'rows', 'created', 'modified'];

/** Routes of buckets and their settings (`platform-api.md` section 5). */
export const bucketRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: PATH,
    action: 'ListBuckets',
    asset: 'Bucket',
    summary: 'List buckets',
    query: listQuery,
    answer: z.array(bucketDocument),
    async handle({ context, principal, param, query }) {
      const found = await context.services.buckets.list(param('user'), { limit: MAX_BUCKETS });
      const allowed = found.filter(({ bucket }) =>
        principal.permissions.allows('Bucket', bucket, 'ListBuckets'),
      );
      return json(selectRows(allowed.map(bucketRow), 'bucket', query));
    },
  }),
  route({
    ...PLAIN,
    method: 'POST',
    path: PATH,
    action: 'CreateBucket',
    asset: 'Bucket',
    summary: 'Create a bucket',
    body: change.extend({ bucket: assetId }),
    answer: bucketDocument,
    async handle({ context, principal, param, body: { bucket, ...settings } }) {
      checkAllowed(principal, 'Bucket', bucket, 'CreateBucket');
      const key = { user: param('user'), bucket };
      const given = settingsOf(settings);
      checkSource(principal, key, given.config);
      await context.services.buckets.define(key, given, 'absent');
      return json(bucketRow(await knownBucket(context, key)));
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:bucket`,
    action: 'ReadBucket',
    summary: 'Read the settings of a bucket',
    answer: bucketDocument,
    handle: async ({ context, param }) => json(bucketRow(await knownBucket(context, bucketOf(param)))),
  }),
  ...['PUT', 'PATCH'].map((method) =>
    route({
      ...ABOUT,
      method,
      path: `${PATH}/:bucket`,
      action: 'UpdateBucket',
      summary: 'Change settings of a bucket; what is null goes',
      body: change,
      answer: bucketDocument,
      async handle({ context, principal, param, body }) {
        const key = bucketOf(param);
        const { settings: before } = await knownBucket(context, key);
        const given = settingsOf(body);
        checkSource(principal, key, given.config, before.config);
        return json(bucketRow(await context.services.buckets.update(key, given)));
      },
    }),
  ),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:bucket`,
    action: 'DeleteBucket',
    summary: 'Delete a bucket and its rows',
    async handle({ context, param }) {
      const key = bucketOf(param);
      if (!(await context.services.buckets.remove(key))) throw noBucket(key);
      return EMPTY;
    },
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:bucket/projects`,
    action: 'UpdateBucket',
    summary: 'Set the projects of a bucket',
    body: projects,
    async handle({ context, param, body }) {
      const project = projectNames(param('user'), body);
      await context.services.buckets.update(bucketOf(param), { project });
      return EMPTY;
    },
  }),
];

/** The bucket that a path names. */
export function bucketOf(param: (name: string) => string): BucketKey {
  return { user: param('user'), bucket: param('bucket') };
}

/** @throws IotmpError (as a rejection) IOTMP_ERR_NOT_FOUND when there is no such bucket */
export async function knownBucket({ services }: GatewayContext, key: BucketKey): Promise<Bucket> {
  const found = await services.buckets.get(key);
  if (found === undefined) throw noBucket(key);
  return found;
}

/** Checks that the token may read the source of a bucket: everybody who reads the bucket reads its source. */
function checkSource(
  principal: Principal,
  { user }: BucketKey,
  config: Value | undefined,
  before: Value | undefined = {},
): void {
  if (config === undefined || !isMap(config)) return;
  const known = isMap(before) ? before : {};
  const next = { ...known, ...config };
  const isOther = (name: string): boolean => next[name] !== known[name];
  const { device, topic } = next;
  if (typeof device === 'string' && ['source', 'device', 'resource'].some(isOther)) {
    checkAllowed(principal, 'Device', device, 'AccessDeviceResources');
  }
  if (typeof topic === 'string' && ['source', 'topic'].some(isOther)) {
    checkAllowed(principal, 'User', user, 'SubscribeUserEvents');
  }
}

function settingsOf(body: Readonly<Record<string, unknown>>): Record<string, Value> {
  const given = Object.entries(body).filter(
    ([key, value]) => value !== undefined && !OWN_MEMBERS.includes(key),
  );
  const { backend = '' } = body;
  if (backend !== '') throw notOffered('rows are kept in the store of this server: it has no other backends');
  const settings = snapshot(Object.fromEntries(given));
  if (!isMap(settings)) throw badRequest('body: a map of settings expected');
  return isMap(settings.config) ? withConfig(settings, settings.config) : settings;
}

/**
 * Programs of the platform have tags in `config`, where the store does not look for them. They leave out `update` when
 * nothing is to be sampled.
 */
function withConfig(settings: Record<string, Value>, config: Record<string, Value>): Record<string, Value> {
  const { source, tags, update, interval } = config;
  const isIdle = source === 'device' && update === undefined && interval === undefined;
  const meant = { ...settings, config: isIdle ? { ...config, update: 'none' } : config };
  return tags === undefined ? meant : { tags, ...meant };
}

/** The settings with `config.tags`, which programs read. */
export function bucketRow({ bucket, user, settings, rows, created, modified }: Bucket): ListRow {
  const { tags } = settings;
  const config = { ...(tags !== undefined && { tags }), ...(isMap(settings.config) && settings.config) };
  const usual = { name: bucket, description: '', enabled: true, project: [] };
  return { ...usual, ...settings, config, bucket, user, rows, created, modified };
}

function noBucket({ bucket }: BucketKey): Error {
  return notFound(`there is no bucket ${bucket}`);
}
