import { z } from 'zod';
import { toUnixSeconds } from '../../util/unix-time';
import { grants } from '../../rights/permissions';
import type { TokenRecord } from '../auth/tokens';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json } from '../http/answer';
import { forbidden, notFound } from '../http/request-error';
import { PLAIN, route, type ApiCall, type Route } from '../route';
import { hostOf } from './host';
import { selectRows, type ListRow } from './list';
import { listQuery, longText, shortText, tokenId } from './schemas';

const PATH = '/v1/users/:user/tokens';
const ABOUT = { ...PLAIN, asset: 'Token', id: 'token' } as const;

const change = z.strictObject({
  name: shortText.optional(),
  description: longText.optional(),
  enabled: z.boolean().optional(),
  allow: grants.optional().describe('without it the token allows nothing'),
  deny: grants.optional(),
  expire: z
    .number()
    .int()
    .positive()
    .transform(toUnixSeconds)
    .optional()
    .describe('s since 1970, or ms past 1e11; without it the token does not expire'),
});

const tokenDocument = z.object({
  token: z.string(),
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  allow: grants,
  deny: grants,
  expire: z.number().optional(),
  created: z.number(),
  modified: z.number(),
});

const signedToken = tokenDocument.extend({ access_token: z.string(), host: z.string() });

/** Routes of the named tokens of a user (`platform-api.md` section 1.5). */
export const tokenRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: PATH,
    action: 'ListTokens',
    asset: 'Token',
    summary: 'List the tokens of a user',
    query: listQuery,
    answer: z.array(tokenDocument),
    handle({ context, principal, param, query }) {
      const allowed = context.tokens
        .list(param('user'))
        .filter(({ token }) => principal.permissions.allows('Token', token, 'ListTokens'));
      return json(selectRows(allowed.map(rowOf), 'token', query));
    },
  }),
  route({
    ...PLAIN,
    method: 'POST',
    path: PATH,
    action: 'CreateToken',
    asset: 'Token',
    summary: 'Create a token',
    body: change.extend({ token: tokenId }),
    answer: signedToken,
    async handle(call) {
      const { token, ...draft } = call.body;
      checkMayGrant(call);
      return signed(call, await call.context.tokens.create(call.param('user'), token, draft));
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:token`,
    action: 'ReadToken',
    summary: 'Read a token',
    answer: signedToken,
    handle(call) {
      // A reader of the token may use it.
      checkMayGrant(call);
      return signed(call, knownToken(call.context, call.param));
    },
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/:token`,
    action: 'UpdateToken',
    summary: 'Change a token; it may be switched off and on',
    body: change,
    answer: tokenDocument,
    async handle(call) {
      checkMayGrant(call);
      const record = knownToken(call.context, call.param);
      return json(rowOf(await call.context.tokens.update(record, call.body)));
    },
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: `${PATH}/:token`,
    action: 'DeleteToken',
    summary: 'Delete a token: it counts no more',
    async handle({ context, param }) {
      const [user, token] = [param('user'), param('token')];
      if (!context.tokens.isLeftOver(user, token)) knownToken(context, param);
      await context.tokens.remove(user, token);
      return EMPTY;
    },
  }),
];

/** Checks that a token with limited rights does not make a token with more. */
function checkMayGrant({ principal }: Pick<ApiCall<unknown, unknown>, 'principal'>): void {
  if (principal.permissions.unlimited) return;
  throw forbidden('only a token that allows everything gives out tokens');
}

function knownToken(context: GatewayContext, param: (name: string) => string): TokenRecord {
  const record = context.tokens.get(param('user'), param('token'));
  if (record === undefined) throw notFound(`there is no token ${param('token')}`);
  return record;
}

async function signed(
  call: ApiCall<unknown, unknown>,
  record: TokenRecord,
): Promise<ReturnType<typeof json>> {
  const host = hostOf(call);
  return json({ ...rowOf(record), access_token: await call.context.tokens.sign(record, host), host });
}

function rowOf(record: TokenRecord): ListRow {
  const { token, name, description, enabled, allow = {}, deny = {}, expire, created, modified } = record;
  const row = { token, name, description, enabled, allow, deny, created, modified };
  return expire === undefined ? row : { ...row, expire };
}
