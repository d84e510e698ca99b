import { types } from 'node:util';
import { z } from 'zod';
import { snapshot } from '../../codec/snapshot';
import type { Value } from '../../types';
import { IotmpError } from '../../errors';
import type { EndpointRecord } from '../accounts/endpoint-records';
import { checkAllowed } from '../auth/access';
import type { GatewayContext } from '../gateway-context';
import { bytes, EMPTY, json, successStatus } from '../http/answer';
import { notFound, notOffered } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { selectRows, type ListRow } from './list';
import { assetId, listQuery, longText, projectNames, projects, shortText } from './schemas';

const PATH = '/v1/users/:user/endpoints';
const ABOUT = { ...PLAIN, asset: 'Endpoint', id: 'endpoint' } as const;
/** The type of an endpoint that a flow hosts and that was not made over the API. */
const FLOW = 'flow';
const MAX_ENDPOINTS = 1000;

const change = z.strictObject({
  type: z.string().max(64).optional().describe('empty or "flow": a flow answers the calls'),
  name: shortText.optional(),
  description: longText.optional(),
  enabled: z.boolean().optional(),
  config: z.unknown().optional(),
});

const endpointDocument = z.object({
  endpoint: z.string(),
  user: z.string(),
  type: z.string(),
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  hosted: z.boolean().describe('whether a flow answers its calls now'),
  project: z.array(z.string()),
  config: z.unknown(),
  created: z.number(),
  modified: z.number(),
});

/** Routes of endpoints and of their calls, which flows answer (`platform-api.md` section 6). */
export const endpointRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: PATH,
    action: 'ListEndpoints',
    asset: 'Endpoint',
    summary: 'List endpoints, with those that flows host',
    query: listQuery,
    answer: z.array(endpointDocument),
    handle({ context, principal, param, query }) {
      const user = param('user');
      const made = context.endpoints.list(user).map(({ endpoint }) => endpoint);
      const names = new Set([...made, ...context.services.endpoints.names]);
      const allowed = [...names].filter((name) =>
        principal.permissions.allows('Endpoint', name, 'ListEndpoints'),
      );
      const rows = allowed.flatMap((name): ListRow[] => {
        const row = rowOf(context, user, name);
        return row === undefined ? [] : [row];
      });
      return json(selectRows(rows, 'endpoint', query));
    },
  }),
  route({
    ...PLAIN,
    method: 'POST',
    path: PATH,
    action: 'CreateEndpoint',
    asset: 'Endpoint',
    summary: 'Create an endpoint',
    body: change.extend({ endpoint: assetId }),
    answer: endpointDocument,
    async handle({ context, principal, param, body: { endpoint, ...draft } }) {
      const user = param('user');
      checkAllowed(principal, 'Endpoint', endpoint, 'CreateEndpoint');
      checkType(draft.type);
      if (context.endpoints.list(user).length >= MAX_ENDPOINTS) {
        throw new IotmpError('IOTMP_ERR_QUOTA', 'this user has as many endpoints as allowed');
      }
      const record = await context.endpoints.create(user, endpoint, withConfig(draft));
      return tell(context, record, 'endpoint_create');
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:endpoint`,
    action: 'ReadEndpoint',
    summary: 'Read an endpoint',
    answer: endpointDocument,
    handle({ context, param }) {
      const row = rowOf(context, param('user'), param('endpoint'));
      if (row === undefined) throw noEndpoint(param('endpoint'));
      return json(row);
    },
  }),
  ...['PUT', 'PATCH'].map((method) =>
    route({
      ...ABOUT,
      method,
      path: `${PATH}/:endpoint`,
      action: 'UpdateEndpoint',
      summary: 'Change an endpoint',
      body: change,
      answer: endpointDocument,
      async handle({ context, param, body }) {
        const made = madeOne(context, param);
        if (body.type !== made.type) checkType(body.type);
        const record = await context.endpoints.update(made, withConfig(body));
        return tell(context, record, 'endpoint_update');
      },
    }),
  ),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:endpoint`,
    action: 'DeleteEndpoint',
    summary: 'Delete an endpoint',
    async handle({ context, param }) {
      const record = madeOne(context, param);
      await context.endpoints.remove(record);
      publish(context, 'endpoint_delete', record, {});
      return EMPTY;
    },
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:endpoint/projects`,
    action: 'UpdateEndpoint',
    summary: 'Set the projects of an endpoint',
    body: projects,
    async handle({ context, param, body }) {
      const project = projectNames(param('user'), body);
      await context.endpoints.update(madeOne(context, param), { project });
      return EMPTY;
    },
  }),
  route({
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/:endpoint/call`,
    action: 'CallEndpoint',
    summary: 'Call an endpoint: the body is its data, the answer that of the flow which hosts it',
    body: z.unknown(),
    async handle({ context, param, body, signal }) {
      const [user, endpoint] = [param('user'), param('endpoint')];
      checkCallable(context, user, endpoint);
      const { payload, statusCode } = await context.services.endpoints.call(user, endpoint, body, { signal });
      const status = successStatus(statusCode, payload !== undefined);
      if (payload === undefined) return { ...EMPTY, status };
      return types.isUint8Array(payload) ? bytes(payload, status) : json(payload, status);
    },
  }),
];

/**
 * Checks that a flow hosts an endpoint: this server itself sends no mails and no requests.
 * @throws IotmpError IOTMP_ERR_NOT_ALLOWED when no flow hosts the endpoint, IOTMP_ERR_NOT_FOUND when it does not exist
 */
export function checkCallable({ endpoints, services }: GatewayContext, user: string, endpoint: string): void {
  const record = endpoints.get(user, endpoint);
  if (record?.enabled === false) {
    throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', `endpoint ${endpoint} is not enabled`);
  }
  if (services.endpoints.names.includes(endpoint)) return;
  if (record === undefined) throw noEndpoint(endpoint);
  const text = `endpoint ${endpoint} is hosted by no flow, and type "${record.type}" is not run here`;
  throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', text, { statusCode: 501 });
}

/** @throws IotmpError IOTMP_ERR_NOT_ALLOWED (501) for a type that would do nothing here */
function checkType(type = ''): void {
  if (type === '' || type === FLOW) return;
  throw notOffered(
    `endpoints of type "${type}" are not run here: host the endpoint in a flow, by a resource in node that is an endpoint`,
  );
}

function madeOne({ endpoints, services }: GatewayContext, param: (name: string) => string): EndpointRecord {
  const name = param('endpoint');
  const record = endpoints.get(param('user'), name);
  if (record !== undefined) return record;
  if (!services.endpoints.names.includes(name)) throw noEndpoint(name);
  throw new IotmpError('IOTMP_ERR_CONFLICT', `endpoint ${name} is a flow's, and changed only there`);
}

function withConfig<T extends { config?: unknown }>({
  config,
  ...draft
}: T): Omit<T, 'config'> & { config?: Value } {
  return config === undefined ? draft : { ...draft, config: snapshot(config) };
}

function rowOf({ endpoints, services }: GatewayContext, user: string, endpoint: string): ListRow | undefined {
  const hosted = services.endpoints.names.includes(endpoint);
  const record = endpoints.get(user, endpoint);
  if (record === undefined && !hosted) return undefined;
  const flow = { type: FLOW, name: endpoint, description: '', enabled: true, project: [], config: {} };
  return { ...flow, created: 0, modified: 0, ...record, endpoint, user, hosted };
}

function tell(context: GatewayContext, record: EndpointRecord, event: string): ReturnType<typeof json> {
  const row = rowOf(context, record.user, record.endpoint) ?? {};
  publish(context, event, record, row);
  return json(row);
}

/** Publishes an event without the configuration of the endpoint, which may hold secrets. */
function publish(
  { server }: GatewayContext,
  event: string,
  { user, endpoint }: EndpointRecord,
  row: ListRow,
): void {
  const fields = Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'config'));
  server.events.publish({ ...fields, event, user, ts: Date.now(), endpoint });
}

function noEndpoint(endpoint: string): Error {
  return notFound(`there is no endpoint ${endpoint}`);
}
