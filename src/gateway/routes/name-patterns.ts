import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { MAX_OF_PATTERN, type NamePattern } from '../../directory/provisioning/name-patterns';
import { removeDevice } from '../devices/device-removal';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json } from '../http/answer';
import { forbidden, notFound } from '../http/request-error';
import { PLAIN, route, type AnyCall, type Route } from '../route';
import { assetId } from './schemas';

const PATH = '/v1/users/:user/provisioning';
const ABOUT = { ...PLAIN, asset: 'NamePattern', id: 'pattern' } as const;

/** What has to be known of devices that share a key. */
const NOTE =
  'The key stays the credential of each device until it is rotated: until then, boards with one key can pass for each other.';
const LASTING = {
  file: 'Patterns and devices are kept.',
  memory: 'The storage is in memory: patterns and devices last until the server is restarted.',
} as const;

const until = z.number().int().describe('end of the pattern, in ms since 1970, within a year');
const key = z
  .string()
  .min(16)
  .max(255)
  .describe('what the first login of a device carries as its credential; it is told to nobody later');

const draft = z.strictObject({
  id: assetId,
  pattern: z.string().max(64).describe('names of devices, with "*" for any run of characters'),
  key: key.optional().describe('without it, one is made, and is in this answer alone'),
  until,
});

const change = z.strictObject({
  enabled: z.boolean().optional().describe('a pattern is off until it is turned on'),
  until: until.optional(),
  key: key.optional(),
});

const document = z.object({
  id: z.string(),
  user: z.string(),
  pattern: z.string(),
  enabled: z.boolean(),
  active: z.boolean().describe('whether it lets devices in now'),
  until: z.number(),
  devices: z.number().describe('devices that it has let in, and that are there'),
  removed: z.number().describe('devices that were removed since: it does not let them in again'),
  limit: z.number().describe('how many there may be of both'),
  created: z.number(),
  modified: z.number(),
  key: z.string().optional(),
  note: z.string(),
});

const removal = z.object({
  devices: z
    .enum(['keep', 'remove'])
    .default('keep')
    .describe('what becomes of the devices that it has let in'),
});

/** Routes of patterns of names, whose devices are registered by their first login. */
export const namePatternRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: PATH,
    action: 'ListNamePatterns',
    asset: 'NamePattern',
    summary: 'List the patterns of names whose devices are registered by their first login',
    answer: z.array(document),
    async handle({ context, param, principal }) {
      const all = context.directory.provisioning.patterns.list(param('user'));
      const allowed = all.filter(({ id }) =>
        principal.permissions.allows('NamePattern', id, 'ListNamePatterns'),
      );
      return json(await Promise.all(allowed.map((record) => documentOf(context, record))));
    },
  }),
  route({
    ...PLAIN,
    method: 'POST',
    path: PATH,
    action: 'CreateNamePattern',
    asset: 'NamePattern',
    summary:
      'Create a pattern of names, which is off. Boards with one key can pass for each other until their credentials are rotated',
    body: draft,
    answer: document,
    async handle(call) {
      checkMayLetIn(call);
      const { context, body, param } = call;
      const made = body.key === undefined ? randomBytes(24).toString('base64url') : undefined;
      const record = await context.directory.provisioning.patterns.create({
        ...body,
        key: body.key ?? made ?? '',
        user: param('user'),
      });
      return json({ ...(await documentOf(context, record)), ...(made !== undefined && { key: made }) });
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:pattern`,
    action: 'ReadNamePattern',
    summary: 'Read a pattern of names',
    answer: document,
    handle: async (call) => json(await documentOf(call.context, knownPattern(call))),
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:pattern`,
    action: 'UpdateNamePattern',
    summary: 'Turn a pattern of names on or off, or give it another end or key',
    body: change,
    answer: document,
    async handle(call) {
      checkMayLetIn(call);
      const { context, body } = call;
      const { patterns } = context.directory.provisioning;
      return json(await documentOf(context, await patterns.update(knownPattern(call), body)));
    },
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:pattern`,
    action: 'DeleteNamePattern',
    summary: 'Delete a pattern of names, and the devices that it has let in if that is asked for',
    query: removal,
    async handle(call) {
      const { context, query } = call;
      const record = knownPattern(call);
      if (query.devices === 'remove') checkMayLetIn(call);
      const { provisioning } = context.directory;
      const devices = query.devices === 'remove' ? provisioning.devicesOf(record) : [];
      // First, so that none of them comes back meanwhile.
      await provisioning.patterns.remove(record);
      for (const id of devices) if (!context.server.isRegistered(id)) await removeDevice(context, id);
      return EMPTY;
    },
  }),
];

/** Whoever lets in devices of any name must be allowed everything about them. */
function checkMayLetIn({ principal }: Pick<AnyCall, 'principal'>): void {
  if (principal.permissions.unlimited) return;
  throw forbidden('only a token that allows everything lets in devices by a pattern, or removes them');
}

/** @throws IotmpError IOTMP_ERR_NOT_FOUND */
function knownPattern({ context, param }: Pick<AnyCall, 'context' | 'param'>): NamePattern {
  const record = context.directory.provisioning.patterns.get(param('user'), param('pattern'));
  if (record === undefined) throw notFound(`there is no pattern ${param('pattern')}`);
  return record;
}

async function documentOf(
  { directory }: Pick<GatewayContext, 'directory'>,
  record: NamePattern,
): Promise<Omit<z.infer<typeof document>, 'key'>> {
  const { id, user, pattern, enabled, until: end, removed, created, modified } = record;
  const { provisioning } = directory;
  return {
    id,
    user,
    pattern,
    enabled,
    active: provisioning.patterns.isActive(record),
    until: end,
    devices: provisioning.devicesOf(record).length,
    removed: removed.length,
    limit: MAX_OF_PATTERN,
    created,
    modified,
    note: `${NOTE} ${LASTING[await directory.storage()]}`,
  };
}
