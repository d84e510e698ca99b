import { z } from 'zod';
import { errorText, IotmpError } from '../../errors';
import { GRANT_LIFETIME_S, POLL_INTERVAL_S, type Approval } from '../auth/device-grants';
import { PAGE_HEADERS, verificationPage, verificationResult } from '../auth/verification-page';
import { httpStatus, json, text, type BodyAnswer } from '../http/answer';
import { forbidden, notFound, unauthorized } from '../http/request-error';
import { clientNetwork } from '../limits/client-network';
import { checkRate } from '../limits/gateway-limits';
import { takeLogin } from '../limits/login-turn';
import { PLAIN, route, type ApiCall, type Route } from '../route';
import { publicAddress } from './host';

const PATH = '/oauth/device';
const ABOUT = { ...PLAIN, asset: 'User', action: 'CreateAccessToken' } as const;

const clientId = z.string().max(255).default('');

const decision = z.object({
  user_code: z.string().max(64),
  decision: z.enum(['approve', 'deny']).default('approve'),
  username: z.string().max(255).optional().describe('where no token is sent'),
  password: z.string().max(1024).optional(),
});

type DecisionCall = ApiCall<unknown, z.output<typeof decision>>;

/** Routes that let in programs without a browser, by a code (`platform-api.md` section 1.1; RFC 8628). */
export const oauthDeviceRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/authorize`,
    access: 'public',
    summary: 'Ask to be let in: show the user code to a person, then poll /oauth/token with the device code',
    form: true,
    body: z.object({ client_id: clientId }),
    answer: z.object({
      device_code: z.string(),
      user_code: z.string(),
      verification_uri: z.string(),
      verification_uri_complete: z.string(),
      expires_in: z.number().describe('seconds'),
      interval: z.number().describe('seconds between two polls'),
    }),
    handle(call) {
      const { context, body } = call;
      const address = clientNetwork(call);
      checkRate(context.logins, `device ${address}`);
      const { deviceCode, userCode } = context.grants.open(body.client_id, address);
      const uri = `${publicAddress(call)}${PATH}/verification`;
      return json({
        device_code: deviceCode,
        user_code: userCode,
        verification_uri: uri,
        verification_uri_complete: `${uri}?user_code=${userCode}`,
        expires_in: GRANT_LIFETIME_S,
        interval: POLL_INTERVAL_S,
      });
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/verification`,
    access: 'public',
    summary: 'Read the page on which a person lets a program in',
    query: z.object({ user_code: z.string().optional() }),
    produces: 'text/html',
    handle({ query: { user_code = '' } }) {
      const code = /^[a-z-]{1,16}$/i.test(user_code) ? user_code : '';
      return text('text/html', verificationPage(code), PAGE_HEADERS);
    },
  }),
  route({
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/verification`,
    access: 'optional',
    summary:
      'Let a program in by its user code, or refuse it; with a token that allows everything, or a password',
    form: true,
    body: decision,
    answer: z.object({ status: z.enum(['approved', 'denied']), client_id: z.string() }),
    async handle(call) {
      const isPage = /\btext\/html\b/i.test(call.request.headers.accept ?? '');
      return isPage ? pageOf(call) : json(await decide(call));
    },
  }),
];

async function pageOf(call: DecisionCall): Promise<BodyAnswer> {
  try {
    const { status } = await decide(call);
    const told = status === 'approved' ? 'The program is let in.' : 'The program is refused.';
    return text('text/html', verificationResult(told), PAGE_HEADERS);
  } catch (error) {
    if (!(error instanceof IotmpError)) throw error;
    const page = text('text/html', verificationResult(errorText(error)), PAGE_HEADERS);
    return { ...page, status: httpStatus(error) };
  }
}

async function decide(call: DecisionCall): Promise<{ status: 'approved' | 'denied'; client_id: string }> {
  const { body, context } = call;
  const approval = await approvalOf(call);
  // A user who may log in must still not guess codes.
  checkRate(context.logins, `code ${approval.user}`);
  const isDenied = body.decision === 'deny';
  const client_id = context.grants.decide(body.user_code, isDenied ? 'access_denied' : approval);
  if (client_id === undefined) throw notFound('no program waits with this code: it is wrong, or too old');
  return { status: isDenied ? 'denied' : 'approved', client_id };
}

/** Checks that the token has all rights of its user: the program that is let in gets them. */
async function approvalOf(call: DecisionCall): Promise<Approval> {
  const { body, context, principal } = call;
  const { users } = context;
  if (principal.token !== '') {
    if (!principal.permissions.unlimited)
      throw forbidden('only a token that allows everything lets programs in');
    return { user: principal.user, counts: principal.counts };
  }
  const { username, password } = body;
  if (username === undefined || password === undefined) throw unauthorized('a token or a password is needed');
  await takeLogin(call);
  const user = await users.login(username, password);
  if (user === undefined) throw unauthorized('invalid username or password');
  return { user: user.user, counts: () => users.isCurrent(user) };
}
