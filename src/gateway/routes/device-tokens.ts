import { z } from 'zod';
import { toUnixSeconds } from '../../util/unix-time';
import { checkAllowed } from '../auth/access';
import type { DeviceTokenRecord } from '../auth/device-tokens';
import { DEVICE_TOKEN_ACTIONS } from '../../rights/permissions';
import { EMPTY, json } from '../http/answer';
import { conflict, notFound } from '../http/request-error';
import { PLAIN, route, type ApiCall, type Route } from '../route';
import { idOf, knownDevice } from '../devices/known-device';
import { hostOf } from './host';

const PATH = '/v1/users/:user/devices/:device/tokens';
const ABOUT = { ...PLAIN, asset: 'Device', id: 'device' } as const;
const MAX_TOKENS = 100;

const draft = z.strictObject({
  token_name: z.string().min(1).max(255),
  token_resources: z.array(z.string().max(255)).max(100).optional().describe('without it, all'),
  token_expiration: z
    .number()
    .int()
    .nonnegative()
    .transform(toUnixSeconds)
    .optional()
    .describe('s since 1970, or ms past 1e11; 0 = never'),
});

const tokenDocument = z.object({ id: z.string(), name: z.string(), token: z.string() });

/** Tokens for one device (`platform-api.md` section 1.3). */
export const deviceTokenRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'GET',
    path: PATH,
    action: 'ListDeviceTokens',
    summary: 'List the tokens of a device',
    answer: z.array(tokenDocument),
    async handle(call) {
      const { context, param } = call;
      checkMayHave(call);
      const records = context.deviceTokens.list(knownDevice(context, idOf(param)));
      return json(await Promise.all(records.map((record) => documentOf(call, record))));
    },
  }),
  route({
    ...ABOUT,
    method: 'POST',
    path: PATH,
    action: 'CreateDeviceToken',
    summary: 'Create a token for a device',
    body: draft,
    answer: tokenDocument,
    async handle(call) {
      const { body, context, param } = call;
      checkMayHave(call);
      const id = knownDevice(context, idOf(param));
      const { token_name: name, token_resources: resources, token_expiration: expire = 0 } = body;
      if (context.deviceTokens.list(id).length >= MAX_TOKENS)
        throw conflict('the device has as many tokens as allowed');
      const record = await context.deviceTokens.create(id, {
        name,
        ...(resources === undefined ? {} : { resources }),
        ...(expire === 0 ? {} : { expire }),
      });
      return json(await documentOf(call, record));
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:token`,
    action: 'ReadDeviceToken',
    summary: 'Read a token of a device',
    answer: tokenDocument,
    async handle(call) {
      checkMayHave(call);
      return json(await documentOf(call, knownToken(call)));
    },
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:token`,
    action: 'DeleteDeviceToken',
    summary: 'Delete a token of a device: it counts no more',
    async handle(call) {
      const { context, param } = call;
      const [{ user }, token] = [idOf(param), param('token')];
      if (!context.deviceTokens.isLeftOver(user, token)) knownToken(call);
      await context.deviceTokens.remove({ user, id: token });
      return EMPTY;
    },
  }),
];

/** Whoever gets the token of a device may use it. */
function checkMayHave({ param, principal }: ApiCall<unknown, unknown>): void {
  for (const action of DEVICE_TOKEN_ACTIONS) checkAllowed(principal, 'Device', param('device'), action);
}

function knownToken({ context, param }: ApiCall<unknown, unknown>): DeviceTokenRecord {
  const record = context.deviceTokens.get(idOf(param), param('token'));
  if (record === undefined) throw notFound(`there is no token ${param('token')}`);
  return record;
}

async function documentOf(
  call: ApiCall<unknown, unknown>,
  record: DeviceTokenRecord,
): Promise<{ id: string; name: string; token: string }> {
  const token = await call.context.deviceTokens.sign(record, hostOf(call));
  return { id: record.id, name: record.name, token };
}
