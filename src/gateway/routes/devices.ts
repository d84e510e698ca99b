import { z } from 'zod';
import { IotmpError } from '../../errors';
import type { DeviceId } from '../../types';
import { checkAllowed } from '../auth/access';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json } from '../http/answer';
import { conflict, notOffered } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { makeTypeAndGroup } from './assets';
import { publishDevice, removeDevice } from '../devices/device-removal';
import { deviceDocument, deviceNames, deviceRow } from '../devices/device-rows';
import { idOf, knownDevice } from '../devices/known-device';
import { selectRows } from './list';
import { assetId, listQuery, longText, optionalId, projectNames, projects, shortText } from './schemas';

const PATH = '/v1/users/:user/devices';
const ABOUT = { asset: 'Device', id: 'device' } as const;
/** The type whose devices connect to this server, and so have a credential. */
const CONNECTING = 'Generic';

const credential = z.string().min(6).max(255);
const credentials = credential.optional();

const change = z.strictObject({
  name: shortText.optional(),
  description: longText.optional(),
  enabled: z.boolean().optional(),
  asset_type: optionalId.optional(),
  asset_group: optionalId.optional(),
  product: optionalId.optional(),
  credentials,
  next_credentials: z
    .union([z.literal(''), credential])
    .optional()
    .describe('the credential to come: valid beside the other until its first login, which ends the other'),
});

const draft = change.omit({ next_credentials: true }).extend({
  device: assetId,
  type: z.enum(['Generic', 'HTTP', 'MQTT', 'Virtual']).default('Generic'),
});

/** Devices: lists, and those that are made over the API (`platform-api.md` section 1.3). */
export const deviceRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: PATH,
    action: 'ListDevices',
    asset: 'Device',
    summary: 'List devices',
    query: listQuery,
    answer: z.array(deviceDocument),
    handle({ context, principal, param, query }) {
      const user = param('user');
      const allowed = deviceNames(context, user).filter((device) =>
        principal.permissions.allows('Device', device, 'ListDevices'),
      );
      const rows = allowed.map((device) => deviceRow(context, { user, device }));
      return json(selectRows(rows, 'device', query));
    },
  }),
  route({
    ...PLAIN,
    method: 'POST',
    path: PATH,
    action: 'CreateDevice',
    asset: 'Device',
    summary: 'Create a device, which can connect at once',
    body: draft,
    answer: deviceDocument,
    async handle({ context, principal, param, body }) {
      const id = { user: param('user'), device: body.device };
      checkAllowed(principal, 'Device', id.device, 'CreateDevice');
      if (body.type === 'MQTT') {
        throw notOffered(
          'devices do not connect by MQTT here: share topics with a broker in the server node',
        );
      }
      checkNew(context, id);
      if ((body.type === CONNECTING) !== (body.credentials !== undefined)) {
        throw new IotmpError(
          'IOTMP_ERR_REQUEST',
          `a device of type ${body.type} ${body.credentials === undefined ? 'needs' : 'has no'} credentials`,
        );
      }
      // The new device must not get what is left of an older device of this name.
      if (context.devices.isRemovalOwed(id)) await removeDevice(context, id);
      await makeTypeAndGroup({ context, principal }, id.user, body);
      await context.devices.create({ ...body, ...id });
      return tell(context, id, 'device_create');
    },
  }),
  route({
    ...PLAIN,
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:device`,
    action: 'ReadDevice',
    summary: 'Read a device',
    answer: deviceDocument,
    handle({ context, param }) {
      return json(deviceRow(context, knownDevice(context, idOf(param))));
    },
  }),
  route({
    ...PLAIN,
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:device`,
    action: 'UpdateDevice',
    summary: 'Change a device',
    body: change,
    answer: deviceDocument,
    async handle({ context, principal, param, body }) {
      const id = idOf(param);
      const { credentials, enabled, next_credentials: next } = body;
      // Who may connect is said in the settings of the server where the device is named there.
      if (credentials !== undefined || enabled !== undefined || next !== undefined) ownDevice(context, id);
      knownDevice(context, id);
      await makeTypeAndGroup({ context, principal }, id.user, body);
      const record = await recordOf(context, id);
      if (next !== undefined && next !== '' && (credentials ?? record.credential) === undefined)
        throw conflict(`device ${id.device} has no credentials that others could follow`);
      await context.devices.update(record, body);
      return tell(context, id, 'device_update');
    },
  }),
  route({
    ...PLAIN,
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:device`,
    action: 'DeleteDevice',
    summary: 'Delete a device with its properties and tokens, and end its connection and what is open for it',
    async handle({ context, param }) {
      const id = idOf(param);
      if (!isLeftOver(context, id)) ownDevice(context, id);
      await removeDevice(context, id);
      return EMPTY;
    },
  }),
  route({
    ...PLAIN,
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:device/projects`,
    action: 'UpdateDevice',
    summary: 'Set the projects of a device',
    body: projects,
    async handle({ context, param, body }) {
      const id = idOf(param);
      const project = projectNames(id.user, body);
      await context.devices.update(await recordOf(context, id), { project });
      return EMPTY;
    },
  }),
];

/** Whether a device is no more, but still in the store, or there with a record that cannot be read. */
function isLeftOver({ devices, server }: GatewayContext, id: DeviceId): boolean {
  if (server.isRegistered(id)) return false;
  return devices.isRemovalOwed(id) || (devices.has(id) && devices.get(id) === undefined);
}

/** The record of a device that was made over the API: the others are not for the API to change. */
function ownDevice(
  context: GatewayContext,
  id: DeviceId,
): NonNullable<ReturnType<GatewayContext['devices']['get']>> {
  const record = context.devices.get(knownDevice(context, id));
  // One that was named in the settings later on is theirs since.
  if (record !== undefined && !context.server.isRegistered(id)) return record;
  throw conflict(`device ${id.device} is registered in the server's settings, and changed only there`);
}

/** The record of a device. One that the settings of the server name gets one for what they do not say. */
async function recordOf(
  { devices, server }: GatewayContext,
  id: DeviceId,
): Promise<NonNullable<ReturnType<GatewayContext['devices']['get']>>> {
  const record = devices.get(id);
  if (record !== undefined) return record;
  if (server.isRegistered(id)) return devices.create({ ...id, type: CONNECTING });
  throw conflict(`device ${id.device} is let in without a record, and has nothing to be changed`);
}

/** @throws IotmpError IOTMP_ERR_CONFLICT, or IOTMP_ERR_BUSY for one too many, when there cannot be such a new device */
export function checkNew(context: GatewayContext, id: DeviceId): void {
  const { devices, limits, server } = context;
  if (server.isRegistered(id) || devices.has(id)) throw conflict(`device ${id.device} is already there`);
  if (devices.count(id.user) < limits.devicesPerUser) return;
  throw new IotmpError('IOTMP_ERR_BUSY', 'this user has as many devices as allowed', { statusCode: 403 });
}

/** Tells an event about a device; the answer is its document. */
export function tell(context: GatewayContext, id: DeviceId, event: string): ReturnType<typeof json> {
  const row = deviceRow(context, id);
  publishDevice(context, event, row);
  return json(row);
}
