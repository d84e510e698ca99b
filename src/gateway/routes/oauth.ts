import { z } from 'zod';
import type { UserRecord } from '../../directory/user-accounts';
import type { TokenPair } from '../auth/sessions';
import { tokenPair } from '../auth/sessions';
import { json, type BodyAnswer } from '../http/answer';
import { unauthorized } from '../http/request-error';
import { takeLogin } from '../limits/login-turn';
import { PLAIN, route, type AnyCall, type Route } from '../route';
import { hostOf } from './host';

const login = z.object({
  grant_type: z.literal('password'),
  username: z.string().max(255),
  password: z.string().max(1024),
  client_id: z.string().optional(),
});

const renewal = z.object({
  grant_type: z.literal('refresh_token'),
  refresh_token: z.string().max(4096).optional(),
  refreshToken: z.string().max(4096).optional().describe('the same, as a client in the field spells it'),
  client_id: z.string().optional(),
});

const device = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:device_code'),
  device_code: z.string().max(255),
  client_id: z.string().max(255).default(''),
});

const grant = z.discriminatedUnion('grant_type', [login, renewal, device]);

/** Routes of logins (`platform-api.md` section 1.1). */
export const oauthRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'POST',
    path: '/oauth/token',
    action: 'CreateAccessToken',
    asset: 'User',
    access: 'public',
    summary:
      'Get tokens for a name and a password, for a refresh token, which is good for one use, or for a device code',
    form: true,
    body: grant,
    answer: tokenPair,
    async handle(call) {
      const { body } = call;
      if (body.grant_type === 'password') return json(await logIn(call, body));
      if (body.grant_type === 'refresh_token') return json(await renew(call, body));
      return poll(call, body);
    },
  }),
];

async function logIn(call: AnyCall, { username, password }: z.infer<typeof login>): Promise<TokenPair> {
  const { sessions, users } = call.context;
  await takeLogin(call);
  const user = await users.login(username, password);
  if (user === undefined) throw unauthorized('invalid username or password');
  const pair = await sessions.open(user, hostOf(call));
  if (users.isCurrent(user)) return pair;
  // The user was removed or locked out, or has another password, meanwhile.
  await sessions.endAll(user.user);
  throw unauthorized('invalid username or password');
}

async function renew(
  call: AnyCall,
  { refreshToken = '', refresh_token = refreshToken }: z.infer<typeof renewal>,
): Promise<TokenPair> {
  const { sessions, users } = call.context;
  const userOf = (name: string): Pick<UserRecord, 'role'> => {
    if (users.isLockedOut(name)) throw unauthorized('invalid refresh token');
    return users.get(name) ?? { role: 'user' };
  };
  return sessions.renew(refresh_token, userOf, hostOf(call));
}

/** Errors are texts here, as the standard demands (RFC 8628 section 3.5). */
async function poll(call: AnyCall, { device_code, client_id }: z.infer<typeof device>): Promise<BodyAnswer> {
  const { grants, sessions, users } = call.context;
  const result = grants.poll(device_code, client_id);
  if (typeof result === 'string') return json({ error: result }, 400);
  const { user } = result;
  const pair = await sessions.open({ user, role: users.get(user)?.role ?? 'user' }, hostOf(call));
  if (result.counts()) return json(pair);
  // The user was removed or locked out meanwhile.
  await sessions.endAll(user);
  return json({ error: 'access_denied' }, 400);
}
