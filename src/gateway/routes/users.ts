import { z } from 'zod';
import { userRole, type UserRecord } from '../../directory/user-accounts';
import type { GatewayContext } from '../gateway-context';
import { checkAllowed } from '../auth/access';
import { EMPTY, json } from '../http/answer';
import { forbidden, notFound } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { selectRows, type ListRow } from './list';
import { assetId, listQuery, shortText } from './schemas';
import { endLogins, removeUser } from './user-removal';

const PATH = '/v1/users';
const ABOUT = { ...PLAIN, asset: 'User', id: 'user' } as const;

const userDocument = z.object({
  user: z.string(),
  role: userRole,
  enabled: z.boolean(),
  name: z.string(),
  email: z.string(),
  created: z.number(),
  modified: z.number(),
});

const change = z.strictObject({
  name: shortText.optional(),
  email: z.union([z.literal(''), z.email()]).optional(),
  password: z.string().min(8).max(255).optional().describe('a new one ends all logins of the user'),
  role: userRole.optional().describe('for administrators to change'),
  enabled: z.boolean().optional().describe('for administrators to change'),
});

/** Routes of users (`platform-api.md` section 1.6). */
export const userRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: PATH,
    action: 'ListUsers',
    asset: 'User',
    summary: 'List the users; whoever is no administrator sees himself',
    query: listQuery,
    answer: z.array(userDocument),
    handle({ context, principal, query }) {
      const isAdmin = principal.role === 'admin';
      const rows = isAdmin ? context.users.list().map(rowOf) : [rowOf(knownUser(context, principal.user))];
      return json(selectRows(rows, 'user', query));
    },
  }),
  route({
    ...PLAIN,
    method: 'POST',
    path: PATH,
    action: 'CreateUser',
    asset: 'User',
    access: 'admin',
    summary: 'Create a user',
    body: change.extend({ user: assetId }),
    answer: userDocument,
    async handle({ context, principal, body: { user, ...draft } }) {
      checkAllowed(principal, 'User', user, 'CreateUser');
      if (draft.role === 'admin' && !principal.permissions.unlimited) {
        throw forbidden('only a token that allows everything makes administrators');
      }
      // The new user must not get what is left of an older user of this name.
      await context.sessions.endAll(user);
      const created = context.users.create(user, draft);
      await endLogins(context, user, created);
      return json(rowOf(await created));
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:user`,
    action: 'ReadUser',
    summary: 'Read a user',
    answer: userDocument,
    handle: ({ context, param }) => json(rowOf(knownUser(context, param('user')))),
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:user`,
    action: 'UpdateUser',
    summary:
      'Change a user; one who is disabled is locked out, with his tokens and the devices made over the API',
    body: change,
    answer: userDocument,
    async handle({ context, principal, param, body }) {
      const user = param('user');
      const isPromotion = body.role !== undefined || body.enabled !== undefined;
      if (!principal.permissions.unlimited || (isPromotion && principal.role !== 'admin')) {
        throw forbidden('the token does not allow this change');
      }
      const updated = context.users.update(knownUser(context, user), body);
      await endLogins(context, user, updated, body.password);
      return json(rowOf(await updated));
    },
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:user`,
    action: 'DeleteUser',
    access: 'admin',
    summary:
      'Delete a user with his logins, tokens, devices made over the API, and data. Devices of the settings of the server stay, and with them the data that they share with him',
    async handle({ context, param }) {
      await removeUser(context, knownUser(context, param('user')));
      return EMPTY;
    },
  }),
];

/**
 * A user. A user without a record, who only has devices in the settings of the server, is one too.
 * @throws IotmpError IOTMP_ERR_NOT_FOUND
 */
function knownUser({ server, users, tokens }: GatewayContext, user: string): UserRecord {
  const record = users.get(user);
  if (record !== undefined) return record;
  const isImplied = server.registered.some((id) => id.user === user) || tokens.list(user).length > 0;
  if (!isImplied && !users.isUnusable(user)) throw notFound(`there is no user ${user}`);
  return { user, role: 'user', enabled: true, name: '', email: '', created: 0, modified: 0 };
}

function rowOf({ user, role, enabled, name, email, created, modified }: UserRecord): ListRow {
  return { user, role, enabled, name, email, created, modified };
}
