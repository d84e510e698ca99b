import { types } from 'node:util';
import { z } from 'zod';
import type { Value } from '../../types';
import { reachesResource } from '../auth/principal';
import { bytes, EMPTY, json, successStatus, type BodyAnswer } from '../http/answer';
import { notFound } from '../http/request-error';
import { PLAIN, route, type AnyCall, type Route } from '../route';
import { idOf } from '../devices/known-device';
import {
  connectedDevice,
  describeResource,
  readResource,
  runResource,
  type ReadState,
  type ResourceRequest,
} from '../devices/resource-access';

/** The form of values in a version of the API: plain, or `{"in":...}` and `{"out":...}`. */
interface Dialect {
  readonly list: readonly string[];
  /** The path of a resource. */
  readonly resource: string;
  readonly wraps: boolean;
  readonly deprecated: boolean;
}

const V3 = '/v3/users/:user/devices/:device/resources';
const V2 = '/v2/users/:user/devices/:device';
const V1 = '/v1/users/:user/devices/:device';

const DIALECTS: readonly Dialect[] = [
  { list: [V3, `${V3}/api`], resource: `${V3}/*resource`, wraps: false, deprecated: false },
  { list: [`${V2}/api`], resource: `${V2}/*resource`, wraps: true, deprecated: true },
  { list: [`${V1}/api`], resource: `${V1}/*resource`, wraps: true, deprecated: true },
];

const ABOUT = { ...PLAIN, asset: 'Device', id: 'device' } as const;
const listing = z.record(
  z.string(),
  z.object({ fn: z.number().describe('1 run, 2 input, 3 output, 4 both') }),
);
const samples = z.object({ in: z.unknown().optional(), out: z.unknown().optional() });

/** Routes that list, describe, read, write and run resources, in each version (`platform-api.md` section 1.4). */
export const resourceRoutes: readonly Route[] = DIALECTS.flatMap(routesOf);

function routesOf({ list, resource, wraps, deprecated }: Dialect): Route[] {
  const about = { ...ABOUT, deprecated };
  return [
    ...list.map((path) =>
      route({
        ...about,
        method: 'GET',
        path,
        action: 'ListDeviceResources',
        summary: 'List the resources of a device',
        answer: listing,
        handle: listResources,
      }),
    ),
    route({
      ...about,
      method: 'GET',
      path: `${resource}/api`,
      action: 'AccessDeviceResources',
      summary: 'Describe a resource: samples of what it takes and gives',
      answer: samples,
      async handle(call) {
        const { payload = {}, statusCode } = await describeResource(requestOf(call));
        return json(payload, successStatus(statusCode, true));
      },
    }),
    route({
      ...about,
      method: 'GET',
      path: resource,
      action: 'AccessDeviceResources',
      summary: 'Read a resource, or run one that takes and gives nothing',
      acts: true,
      answer: z.unknown(),
      handle: async (call) => resourceAnswer(call, await readResource(requestOf(call)), wraps),
    }),
    route({
      ...about,
      method: 'POST',
      path: resource,
      action: 'AccessDeviceResources',
      summary: 'Write to a resource, or run it',
      body: z.unknown(),
      answer: z.unknown(),
      async handle(call) {
        const input = wraps ? unwrapped(call.body) : call.body;
        const { payload: value, statusCode } = await runResource(requestOf(call), input);
        return resourceAnswer(call, { kind: 'out', value, statusCode }, wraps);
      },
    }),
  ];
}

async function listResources(call: AnyCall): Promise<BodyAnswer> {
  const { context, principal, param } = call;
  const { resources } = await connectedDevice({ context, principal, device: idOf(param) }).describe();
  const entries = resources
    .filter(({ name }) => reachesResource(principal, name))
    .map(({ name, fn }): [string, Value] => [name, fn === undefined ? {} : { fn }]);
  return json(Object.fromEntries(entries));
}

function requestOf({ context, principal, param, parameters, signal }: AnyCall): ResourceRequest {
  const resource = param('resource');
  if (resource === '') throw notFound('a resource needs a name');
  return { context, principal, device: idOf(param), resource, query: parameters, signal };
}

/** The input of a wrapped body; a body that is not wrapped is the input itself. */
function unwrapped(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('in' in body)) return body;
  return Object.keys(body).length === 1 ? body.in : body;
}

/** The answer of a device to a program, with the device's code. */
function resourceAnswer(call: AnyCall, { kind, value, statusCode }: ReadState, wraps: boolean): BodyAnswer {
  const status = statusCode === 204 ? 200 : successStatus(statusCode, value !== undefined);
  if (value === undefined) return { ...EMPTY, status };
  return wraps ? json({ [kind]: value }, status) : plainAnswer(call, value, status);
}

/** Sends bytes as they are, unless the client accepts only JSON. */
function plainAnswer({ request }: AnyCall, value: Value, status: number): BodyAnswer {
  const wantsJson = /^\s*application\/json/i.test(request.headers.accept ?? '');
  if (types.isUint8Array(value) && !wantsJson) return bytes(value, status);
  return json(value, status);
}
