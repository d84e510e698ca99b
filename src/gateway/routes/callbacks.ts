import { isIP } from 'node:net';
import { z } from 'zod';
import { snapshot } from '../../codec/snapshot';
import { isMap, type DeviceId, type Value } from '../../types';
import { callbackChange, callbackSettings, type CallbackSettings } from '../accounts/callback-records';
import { checkAllowed } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json, type BodyAnswer } from '../http/answer';
import { badRequest, forbidden } from '../http/request-error';
import { clientHost } from '../limits/client-network';
import { PLAIN, route, type ApiCall, type Route } from '../route';
import { idOf, knownDevice } from '../devices/known-device';
import { callbackTime, writeCallbackRow } from '../devices/callback-row';
import { checkCallable } from './endpoints';
import { parametersOf } from '../devices/parameters';

const PATH = '/v3/users/:user/devices/:device/callback';
const ABOUT = { ...PLAIN, asset: 'Device', id: 'device' } as const;
/** Query keys that are no part of the data. */
const OWN_KEYS: readonly string[] = ['authorization', 'ts', 'ip'];
const MINUTE_MS = 60_000;

/** The actions for data that was sent. All configured actions are done, whatever the rights of the sender. */
const RIGHTS = [
  ['write_bucket', 'Bucket', 'WriteBucket'],
  ['call_endpoint', 'Endpoint', 'CallEndpoint'],
  ['set_property', 'Device', 'SetDeviceProperty'],
  ['send_property', 'Device', 'ReadDeviceProperty'],
] as const;

const dataQuery = z.object({
  ts: z
    .string()
    .regex(/^\d{1,16}$/, 'is a number of ms since 1970')
    .transform((text) => Number(text))
    .optional()
    .describe('ms since 1970; before 2000 or more than a day ahead, the time of the server is taken'),
  ip: z.string().optional().describe('the address of the device, where it is not that of the request'),
});

type DataCall = ApiCall<z.output<typeof dataQuery>, unknown>;

/** Routes of data that devices send over HTTP, and of the actions for it (`platform-api.md` section 4). */
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
    body: callbackChange,
    answer: callbackSettings,
    async handle({ context, principal, param, body: { actions, properties } }) {
      const id = knownDevice(context, idOf(param));
      const before = context.callbacks.get(id);
      if (actions !== undefined) checkRights(principal, id, before.actions, actions);
      const settings = { actions: actions ?? before.actions, properties: properties ?? before.properties };
      await context.callbacks.set(id, settings);
      context.presence.limit(id, settings.properties.timeout * MINUTE_MS);
      return json(settings);
    },
  }),
  route({
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/data`,
    action: 'CallDeviceCallback',
    summary: 'Send data of a device: JSON, a form, a text or bytes',
    query: dataQuery,
    body: z.unknown(),
    loose: true,
    async handle(call) {
      if (call.body === undefined) throw badRequest('body: is missing');
      return take(call, snapshot(call.body));
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/data`,
    action: 'CallDeviceCallback',
    summary:
      'Send data of a device as a query, for devices that can do no more; without data, read the answer',
    acts: true,
    query: dataQuery,
    async handle(call) {
      const { context, param, parameters } = call;
      const data = parametersOf(parameters, OWN_KEYS);
      return data === undefined ? answerOf(context, knownDevice(context, idOf(param))) : take(call, data);
    },
  }),
];

/** Checks that the token may do the actions that it configures. Actions that were configured before stay. */
function checkRights(
  principal: Principal,
  { device }: DeviceId,
  before: CallbackSettings['actions'],
  actions: CallbackSettings['actions'],
): void {
  for (const [name, asset, action] of RIGHTS) {
    const target = actions[name];
    if (target === '' || target === before[name]) continue;
    checkAllowed(principal, asset, asset === 'Device' ? device : target, action);
  }
}

/** Does the actions for data. The answer is sent when all of them are done. */
async function take(call: DataCall, payload: Value): Promise<BodyAnswer> {
  const { context, query } = call;
  const { callbacks, server, services } = context;
  const id = knownDevice(context, idOf(call.param));
  const { user, device } = id;
  const { type, enabled } = context.devices.get(id) ?? {};
  if (enabled === false) throw forbidden(`device ${device} is not enabled`);
  const { actions, properties } = callbacks.get(id);
  context.lastSeen.saw(id);
  if (type === 'HTTP') {
    context.presence.heard(id, addressOf(call), properties.timeout * MINUTE_MS);
  }
  const { write_bucket: bucket, call_endpoint: endpoint, set_property: set } = actions;
  const ts = callbackTime(context, id, query.ts);
  server.events.publish({ event: 'device_callback_call', user, device, ts: ts ?? Date.now(), payload });
  const value = isMap(payload) ? payload : { value: payload };
  await Promise.all([
    bucket === '' ? undefined : writeCallbackRow(context, id, bucket, { ts, value }),
    endpoint === '' ? undefined : callEndpoint(context, id, endpoint, payload),
    set === '' ? undefined : services.properties.set(id, set, payload),
  ]);
  return answerOf(context, id);
}

async function callEndpoint(
  context: GatewayContext,
  caller: DeviceId,
  endpoint: string,
  payload: Value,
): Promise<void> {
  checkCallable(context, caller.user, endpoint);
  await context.services.endpoints.call(caller.user, endpoint, payload, { caller });
}

/** The answer to a device: the property that was configured, if any. */
async function answerOf({ callbacks, services }: GatewayContext, id: DeviceId): Promise<BodyAnswer> {
  const { send_property: sent } = callbacks.get(id).actions;
  const property = sent === '' ? undefined : await services.properties.get(id, sent);
  return property === undefined ? EMPTY : json(property.value);
}

/** The address of the sender. A program that passes data on for a device gives it. */
function addressOf(call: DataCall): string {
  const { ip = '' } = call.query;
  return isIP(ip) === 0 ? clientHost(call) : ip;
}
