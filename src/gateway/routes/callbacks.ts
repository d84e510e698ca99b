import { z } from 'zod';
import { snapshot } from '../../services/snapshot';
import { isMap, type DeviceId, type Value } from '../../types';
import { callbackSettings } from '../accounts/callback-records';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json, type BodyAnswer } from '../http/answer';
import { badRequest } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { idOf, knownDevice } from './devices';
import { parametersOf } from './parameters';

const PATH = '/v3/users/:user/devices/:device/callback';
const ABOUT = { ...PLAIN, asset: 'Device', id: 'device' } as const;
/** Query keys that are about the data, and none of it. */
const OWN_KEYS: readonly string[] = ['authorization', 'ts', 'ip'];

const dataQuery = z.object({
  ts: z
    .string()
    .regex(/^\d{1,16}$/, 'is a number of ms since 1970')
    .transform((text) => Number(text))
    .optional()
    .describe('ms since 1970'),
});

/** Data that devices send over HTTP, and what is done with it (`platform-api.md` section 4). */
export const callbackRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'GET',
    path: PATH,
    action: 'ReadDeviceCallback',
    summary: 'Read what is done with the data that a device sends over HTTP',
    answer: callbackSettings,
    handle: ({ context, param }) => json(context.callbacks.get(knownDevice(context, idOf(param)))),
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    path: PATH,
    action: 'UpdateDeviceCallback',
    summary: 'Say what is done with the data that a device sends over HTTP',
    body: callbackSettings,
    answer: callbackSettings,
    async handle({ context, param, body }) {
      const id = knownDevice(context, idOf(param));
      await context.callbacks.set(id, body);
      return json(context.callbacks.get(id));
    },
  }),
  route({
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/data`,
    action: 'CallDeviceCallback',
    summary: 'Send data of a device',
    query: dataQuery,
    body: z.unknown(),
    async handle({ context, param, query, body }) {
      if (body === undefined) throw badRequest('body: is missing');
      return take(context, knownDevice(context, idOf(param)), snapshot(body), query.ts);
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/data`,
    action: 'CallDeviceCallback',
    summary:
      'Send data of a device as a query, for devices that can do no more; without data, read the answer',
    query: dataQuery,
    async handle({ context, param, query, parameters }) {
      const id = knownDevice(context, idOf(param));
      const data = parametersOf(parameters, OWN_KEYS);
      return data === undefined ? answerOf(context, id) : take(context, id, data, query.ts);
    },
  }),
];

/** Does what is to be done with data. It is answered when all of that is done. */
async function take(
  context: GatewayContext,
  id: DeviceId,
  payload: Value,
  ts = Date.now(),
): Promise<BodyAnswer> {
  const { callbacks, server, services } = context;
  const { user, device } = id;
  const { write_bucket: bucket, call_endpoint: endpoint, set_property: set } = callbacks.get(id).actions;
  server.events.publish({ event: 'device_callback_call', user, device, ts, payload });
  const value = isMap(payload) ? payload : { value: payload };
  await Promise.all([
    bucket === '' ? undefined : services.buckets.write({ user, bucket }, [{ ts, device, value }]),
    endpoint === '' ? undefined : services.endpoints.call(user, endpoint, payload, { caller: id }),
    set === '' ? undefined : services.properties.set(id, set, payload),
  ]);
  return answerOf(context, id);
}

/** What a device is told: a property of its own, where one was named. */
async function answerOf({ callbacks, services }: GatewayContext, id: DeviceId): Promise<BodyAnswer> {
  const { send_property: sent } = callbacks.get(id).actions;
  const property = sent === '' ? undefined : await services.properties.get(id, sent);
  return property === undefined ? EMPTY : json(property.value);
}
