import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DeviceGrants } from '../../../src/gateway/auth/device-grants';
import { FakeClock } from '../support/fake-clock';
import { errorOf, GatewayBench, type Answer } from './support/gateway-bench';

const AUTHORIZE = '/oauth/device/authorize';
const VERIFICATION = '/oauth/device/verification';
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

interface Codes {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
}

function form(
  bench: GatewayBench,
  path: string,
  fields: Record<string, string>,
  accept = '',
): Promise<Answer> {
  const raw = new URLSearchParams(fields).toString();
  return bench.ask('POST', path, { token: null, raw, headers: { ...FORM, Accept: accept } });
}

async function asked(bench: GatewayBench, client_id = 'cli'): Promise<Codes> {
  const answer = await form(bench, AUTHORIZE, { client_id });
  assert.equal(answer.status, 200);
  return answer.body as Codes;
}

/** Asks how things stand, after the interval. */
async function poll(bench: GatewayBench, device_code: string, client_id = 'cli'): Promise<unknown> {
  await bench.broker.clock.advance(5000);
  return pollNow(bench, device_code, client_id);
}

async function pollNow(bench: GatewayBench, device_code: string, client_id = 'cli'): Promise<unknown> {
  const { status, body } = await form(bench, '/oauth/token', { grant_type: GRANT, client_id, device_code });
  if (status === 200) return body;
  assert.equal(status, 400);
  return (body as { error: unknown }).error;
}

describe('the device flow', () => {
  it('gives a program codes, and tokens once somebody has let it in', async () => {
    const bench = await GatewayBench.start();
    const codes = await asked(bench);
    assert.match(codes.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
    assert.ok(codes.device_code.length >= 43);
    assert.deepEqual([codes.expires_in, codes.interval], [600, 5]);
    assert.equal(codes.verification_uri, `http://127.0.0.1:${bench.port}${VERIFICATION}`);
    assert.equal(codes.verification_uri_complete, `${codes.verification_uri}?user_code=${codes.user_code}`);
    assert.equal(await poll(bench, codes.device_code), 'authorization_pending');
    const let_in = await bench.post(VERIFICATION, {
      user_code: codes.user_code.toLowerCase().replace('-', ' '),
    });
    assert.deepEqual([let_in.status, let_in.body], [200, { status: 'approved', client_id: 'cli' }]);
    assert.equal((await bench.post(VERIFICATION, { user_code: codes.user_code })).status, 404, 'only once');
    const tokens = (await poll(bench, codes.device_code)) as { access_token: string; refresh_token: string };
    const { access_token: token, refresh_token } = tokens;
    assert.equal((await bench.get('/v1/users/anna/devices', { token })).status, 200);
    assert.equal((await bench.get('/v1/users/bert/devices', { token })).status, 403);
    assert.equal(await poll(bench, codes.device_code), 'invalid_grant', 'the code is used up');
    const renewed = await form(bench, '/oauth/token', { grant_type: 'refresh_token', refresh_token });
    assert.equal(renewed.status, 200);
  });

  it('names its page as the program reaches it through proxies', async () => {
    const bench = await GatewayBench.start({ basePath: '/api' });
    const headers = {
      ...FORM,
      'X-Forwarded-Proto': 'https, http',
      'X-Forwarded-Host': 'red.example:8443',
      'X-Forwarded-Prefix': '/form',
    };
    const answer = await bench.ask('POST', AUTHORIZE, { token: null, headers, raw: 'client_id=cli' });
    const { verification_uri } = answer.body as Codes;
    assert.equal(verification_uri, `https://red.example:8443/form/api${VERIFICATION}`);
  });

  it('lets programs in by a password, on a page', async () => {
    const bench = await GatewayBench.start();
    const { device_code, user_code, verification_uri_complete } = await asked(bench, '<b>');
    const page = await bench.get(new URL(verification_uri_complete).pathname + '?user_code=' + user_code, {
      token: null,
    });
    assert.match(page.type ?? '', /^text\/html/);
    assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/);
    assert.ok(page.bytes.toString().includes(`value="${user_code}"`));
    const evil = await bench.get(`${VERIFICATION}?user_code=%22%3E%3Cscript%3E`, { token: null });
    assert.ok(!evil.bytes.toString().includes('<script>'));
    const login = { user_code, username: 'bert', password: 'berts password', decision: 'approve' };
    const wrong = await form(bench, VERIFICATION, { ...login, password: 'no' }, 'text/html');
    assert.deepEqual([wrong.status, wrong.type?.startsWith('text/html')], [401, true]);
    assert.match(wrong.bytes.toString(), /invalid username or password/);
    const right = await form(bench, VERIFICATION, login, 'text/html,*/*');
    assert.equal(right.status, 200);
    assert.match(right.bytes.toString(), /let in/);
    const { access_token: token } = (await poll(bench, device_code, '<b>')) as { access_token: string };
    assert.equal((await bench.get('/v1/users/bert/devices', { token })).status, 200);
  });

  it('lets somebody refuse', async () => {
    const bench = await GatewayBench.start();
    const { device_code, user_code } = await asked(bench);
    const answer = await bench.post(VERIFICATION, { user_code, decision: 'deny' });
    assert.deepEqual(answer.body, { status: 'denied', client_id: 'cli' });
    assert.equal(await poll(bench, device_code), 'access_denied');
    assert.equal(await poll(bench, device_code), 'invalid_grant');
  });

  it('slows down programs that ask too often, and ends after ten minutes', async () => {
    const bench = await GatewayBench.start();
    const { clock } = bench.broker;
    const { device_code, user_code } = await asked(bench);
    assert.equal(await pollNow(bench, device_code), 'authorization_pending');
    assert.equal(await pollNow(bench, device_code), 'slow_down');
    await clock.advance(4600);
    assert.equal(await pollNow(bench, device_code), 'authorization_pending');
    await clock.advance(600_000);
    assert.equal((await bench.post(VERIFICATION, { user_code })).status, 404);
    assert.equal(await pollNow(bench, device_code), 'expired_token');
  });

  it('is for those who may do everything, and only while they may', async () => {
    const bench = await GatewayBench.start();
    const { device_code, user_code } = await asked(bench);
    const limited = await bench.tokenOf('anna', { Device: { '*': '*' } });
    const device = await bench.post('/v1/users/anna/devices/pump/tokens', { token_name: 'app' });
    for (const token of [limited, (device.body as { token: string }).token]) {
      assert.equal((await bench.post(VERIFICATION, { user_code }, { token })).status, 403);
    }
    assert.equal((await bench.post(VERIFICATION, { user_code }, { token: null })).status, 401);
    assert.equal((await bench.post(VERIFICATION, { user_code }, { token: 'wrong' })).status, 401);
    const token = await bench.gateway.createToken('anna', 'short', { allow: { '*': { '*': '*' } } });
    assert.equal((await bench.post(VERIFICATION, { user_code }, { token })).status, 200);
    await bench.ask('DELETE', '/v1/users/anna/tokens/short');
    assert.equal(await poll(bench, device_code), 'access_denied');
  });

  it('works for a user without an account, until he is deleted', async () => {
    const bench = await GatewayBench.start();
    const { device_code, user_code } = await asked(bench);
    await bench.post(VERIFICATION, { user_code }, { token: await bench.tokenOf('carl') });
    const pair = (await poll(bench, device_code)) as { access_token: string; refresh_token: string };
    const again = await form(bench, '/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: pair.refresh_token,
    });
    const { access_token: token, refresh_token } = again.body as typeof pair;
    assert.equal((await bench.get('/v1/users/carl/devices', { token })).status, 200);
    const root = await bench.tokenOf('root');
    assert.equal((await bench.ask('DELETE', '/v1/users/carl', { token: root })).status, 200);
    assert.equal((await bench.get('/v1/users/carl/devices', { token })).status, 401);
    const late = await form(bench, '/oauth/token', { grant_type: 'refresh_token', refresh_token });
    assert.equal(late.status, 401);
  });

  it('refuses what is not well formed, other programs, and too many guesses', async () => {
    const bench = await GatewayBench.start({ limits: { loginsPerMinute: 3 } });
    const { device_code, user_code } = await asked(bench);
    assert.equal(await poll(bench, device_code, 'another program'), 'invalid_grant');
    assert.equal(await poll(bench, 'no such code'), 'invalid_grant');
    for (const body of [
      [],
      {},
      { user_code: 5 },
      { user_code, decision: 'perhaps' },
      { user_code: 'x'.repeat(65) },
    ]) {
      assert.equal((await bench.post(VERIFICATION, body)).status, 400, JSON.stringify(body));
    }
    const fields = { grant_type: GRANT, client_id: 'cli' };
    assert.equal((await form(bench, '/oauth/token', fields)).status, 400);
    assert.equal((await form(bench, AUTHORIZE, { client_id: 'x'.repeat(256) })).status, 400);
    const guess = async (): Promise<number> =>
      (await bench.post(VERIFICATION, { user_code: 'AAAA-AAAA' })).status;
    assert.deepEqual([await guess(), await guess(), await guess(), await guess()], [404, 404, 404, 429]);
    const ask = async (): Promise<number> => (await form(bench, AUTHORIZE, { client_id: 'cli' })).status;
    const [first, second, third] = [await ask(), await ask(), await ask()];
    assert.deepEqual([first, second, third].includes(429), true);
    const login = { user_code, username: 'anna', password: 'no' };
    const tries = [1, 2, 3, 4].map(() => form(bench, VERIFICATION, login));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    assert.deepEqual(statuses, [401, 401, 401, 429]);
    assert.equal(errorOf(await form(bench, VERIFICATION, login))?.includes('too many'), true);
  });
});

describe('programs that wait to be let in', () => {
  it('are bounded, of one address and of all, until their time is over', async () => {
    const clock = new FakeClock();
    const grants = new DeviceGrants(clock);
    for (let index = 0; index < 100; index++) grants.open('cli', 'a');
    assert.throws(() => grants.open('cli', 'a'), { code: 'IOTMP_ERR_BUSY' });
    for (let index = 0; index < 900; index++) grants.open('cli', `b${index % 10}`);
    assert.throws(() => grants.open('cli', 'c'), { code: 'IOTMP_ERR_BUSY' });
    await clock.advance(600_000);
    grants.open('cli', 'a');
    assert.equal(grants.size, 1);
  });
});
