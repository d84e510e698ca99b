import { z } from 'zod';
import type { TokenPair } from '../auth/sessions';
import { tokenPair } from '../auth/sessions';
import { json } from '../http/answer';
import { unauthorized } from '../http/request-error';
import { PLAIN, route, type ApiCall, type Route } from '../route';
import { hostOf } from './host';

const login = z.object({
  grant_type: z.literal('password'),
  username: z.string().max(255),
  password: z.string().max(1024),
  client_id: z.string().optional(),
});

const renewal = z.object({
  grant_type: z.literal('refresh_token'),
  refresh_token: z.string().max(4096),
  client_id: z.string().optional(),
});

const grant = z.discriminatedUnion('grant_type', [login, renewal]);

/** Logins of users (`platform-api.md` section 1.1). */
export const oauthRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'POST',
    path: '/oauth/token',
    action: 'CreateAccessToken',
    asset: 'User',
    access: 'public',
    summary: 'Get tokens for a name and a password, or for a refresh token, which is good for one use',
    form: true,
    body: grant,
    answer: tokenPair,
    handle: async (call) =>
      json(call.body.grant_type === 'password' ? await logIn(call, call.body) : await renew(call, call.body)),
  }),
];

type AnyCall = ApiCall<unknown, unknown>;

async function logIn(call: AnyCall, { username, password }: z.infer<typeof login>): Promise<TokenPair> {
  const { logins, sessions, users } = call.context;
  logins.check(call.request.socket.remoteAddress ?? '');
  const user = await users.login(username, password);
  if (user === undefined) throw unauthorized('invalid username or password');
  const pair = await sessions.open(user, hostOf(call));
  if (users.isCurrent(user)) return pair;
  // He was removed or locked out, or has another password, while this went on.
  await sessions.endAll(user.user);
  throw unauthorized('invalid username or password');
}

async function renew(call: AnyCall, { refresh_token }: z.infer<typeof renewal>): Promise<TokenPair> {
  const { sessions, users } = call.context;
  const session = await sessions.redeem(refresh_token);
  const user = users.get(session.user);
  if (user?.enabled !== true) throw unauthorized('invalid refresh token');
  return sessions.renew(session, user, hostOf(call));
}
