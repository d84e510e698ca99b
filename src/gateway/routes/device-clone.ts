import { z } from 'zod';
import { deviceRecord } from '../../directory/device-accounts';
import { checkAllowed } from '../auth/access';
import { json } from '../http/answer';
import { PLAIN, route, type Route } from '../route';
import { copyProperties } from './copy-properties';
import { deviceDocument, deviceRow } from '../devices/device-rows';
import { idOf, knownDevice } from '../devices/known-device';
import { checkNew, tell } from './devices';
import { assetId, longText, shortText } from './schemas';

const ABOUT = {
  ...PLAIN,
  path: '/v1/users/:user/devices/:device/clone',
  asset: 'Device',
  id: 'device',
} as const;

/** What a device has in common with its clones. */
const template = deviceRecord.pick({
  type: true,
  name: true,
  description: true,
  enabled: true,
  asset_type: true,
  asset_group: true,
  product: true,
});

/** Devices made after others (`platform-api.md` section 1.3). */
export const deviceCloneRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'GET',
    action: 'CloneDeviceConfig',
    summary: 'Read what a clone of a device would be made of',
    answer: template,
    handle: ({ context, param }) =>
      json(template.parse(deviceRow(context, knownDevice(context, idOf(param))))),
  }),
  route({
    ...ABOUT,
    method: 'POST',
    action: 'CloneDevice',
    summary:
      'Create a device with settings and properties of another one; without credentials it cannot connect yet',
    body: z.strictObject({
      device: assetId,
      name: shortText.optional(),
      description: longText.optional(),
      enabled: z.boolean().optional(),
      credentials: z.string().min(6).max(255).optional(),
    }),
    answer: deviceDocument,
    async handle({ context, principal, param, body }) {
      const source = knownDevice(context, idOf(param));
      const id = { user: source.user, device: body.device };
      checkAllowed(principal, 'Device', id.device, 'CreateDevice');
      checkNew(context, id);
      const { type, ...settings } = template.parse(deviceRow(context, source));
      const { project } = context.devices.get(source) ?? {};
      await context.devices.create({ ...settings, project, type, ...body, ...id });
      await copyProperties(context.services.properties, source, id);
      return tell(context, id, 'device_create');
    },
  }),
];
