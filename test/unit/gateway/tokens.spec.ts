import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'mocha';
import { TokenSigner } from '../../../src/gateway/auth/token-signer';
import { errorOf, GatewayBench, SECRET, type Answer } from './support/gateway-bench';

const DEVICES = '/v1/users/anna/devices';
const TOKENS = '/v1/users/anna/tokens';

interface Pair {
  access_token: string;
  refresh_token: string;
  expires_in: number;
}

function login(bench: GatewayBench, fields: Record<string, string>): Promise<Answer> {
  return bench.ask('POST', '/oauth/token', {
    token: null,
    raw: new URLSearchParams(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
}

async function logIn(bench: GatewayBench, user = 'anna'): Promise<Pair> {
  const answer = await login(bench, {
    grant_type: 'password',
    username: user,
    password: `${user}s password`,
  });
  assert.equal(answer.status, 200);
  return answer.body as Pair;
}

/** The claims, as clients decode them: without a look at the signature. */
function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
}

describe('token', () => {
  it('is taken from header or query, and needed', async () => {
    const bench = await GatewayBench.start();
    assert.equal((await bench.get(DEVICES)).status, 200);
    assert.equal((await bench.get(`${DEVICES}?authorization=${bench.token}`, { token: null })).status, 200);
    for (const answer of [
      await bench.get(DEVICES, { token: null }),
      await bench.get(DEVICES, { token: 'undefined' }),
      await bench.get(DEVICES, { token: 'x'.repeat(5000) }),
      await bench.get(`${DEVICES}?Authorization=${bench.token}`, { token: null }),
      await bench.get(DEVICES, { token: null, headers: { Authorization: 'Basic YTpi' } }),
    ]) {
      assert.equal(answer.status, 401);
      assert.match(answer.type ?? '', /^application\/json/);
      assert.match(errorOf(answer) ?? '', /token/);
    }
  });

  it('counts only with our signature, made the one way that we make it', async () => {
    const bench = await GatewayBench.start();
    const [head = '', body = ''] = bench.token.split('.');
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = (text: string, key: string, hash = 'sha256'): string =>
      `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
    const forged = [
      `${bench.token}=`,
      `${head}.${body}.`,
      `${part({ alg: 'none' })}.${body}.`,
      signed(`${head}.${body}`, SECRET),
      signed(`${part({ alg: 'HS512' })}.${body}`, SECRET, 'sha512'),
      `${head}.${part({ ...claimsOf(bench.token), usr: 'root' })}.${bench.token.split('.')[2]}`,
    ];
    for (const token of forged) assert.equal((await bench.get(DEVICES, { token })).status, 401, token);
  });

  it('has the claims that clients decode', async () => {
    const bench = await GatewayBench.start();
    const made = await bench.post(TOKENS, { token: 'app', enabled: true, allow: {} });
    const { access_token: token, host } = made.body as { access_token: string; host: string };
    const claims = claimsOf(token);
    assert.equal(claims.usr, 'anna');
    assert.equal(claims.svr, `127.0.0.1:${bench.port}`);
    assert.equal(host, claims.svr);
    assert.match(String(claims.jti), /^app\./);
    assert.equal(typeof claims.iat, 'number');
    assert.equal(claims.exp, undefined);
    const access = claimsOf((await logIn(bench)).access_token);
    assert.equal(access.usr, 'anna');
    assert.equal(access.role, 'user');
    assert.equal(access.exp, Number(access.iat) + 7200);
  });

  it('is created, listed, read, changed, switched off and deleted', async () => {
    const bench = await GatewayBench.start();
    const allow = { Device: { '*': ['ListDevices'] } };
    const made = await bench.post(TOKENS, { token: 'app', name: 'App', enabled: true, allow });
    const { access_token: token } = made.body as { access_token: string };
    assert.equal((await bench.post(TOKENS, { token: 'app' })).status, 409);
    const list = (await bench.get(TOKENS)).body as { token: string; access_token?: string }[];
    assert.deepEqual(
      list.map((row) => [row.token, row.access_token]),
      [
        ['all', undefined],
        ['app', undefined],
      ],
    );
    assert.equal(((await bench.get(`${TOKENS}/app`)).body as { access_token: string }).access_token, token);
    assert.equal((await bench.get(DEVICES, { token })).status, 200);
    await bench.ask('PUT', `${TOKENS}/app`, { body: { enabled: false } });
    assert.equal((await bench.get(DEVICES, { token })).status, 401);
    await bench.ask('PUT', `${TOKENS}/app`, { body: { enabled: true } });
    assert.equal((await bench.get(DEVICES, { token })).status, 200);
    assert.equal((await bench.ask('DELETE', `${TOKENS}/app`)).status, 200);
    assert.equal((await bench.get(DEVICES, { token })).status, 401);
    await bench.post(TOKENS, { token: 'app', allow });
    assert.equal((await bench.get(DEVICES, { token })).status, 401, 'a new one of that name is another');
  });

  it('expires', async () => {
    const bench = await GatewayBench.start();
    const signer = new TokenSigner(SECRET);
    const past = Math.floor(Date.now() / 1000) - 1;
    const claims = claimsOf(bench.token) as { usr: string; jti: string; iat: number };
    assert.equal(
      (await bench.get(DEVICES, { token: await signer.sign({ ...claims, exp: past }) })).status,
      401,
    );
    const made = await bench.post(TOKENS, { token: 'old', allow: { '*': { '*': '*' } }, expire: past });
    const { access_token: token } = made.body as { access_token: string };
    assert.equal((await bench.get(DEVICES, { token })).status, 401);
  });

  it('expires at a time that is given in ms, too', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    const statuses: number[] = [];
    for (const [index, expire] of [Date.now() - 2000, Date.now() + 60_000].entries()) {
      const body = { token: `t${index}`, allow: { '*': { '*': '*' } }, expire };
      const made = (await bench.post(TOKENS, body)).body as { access_token: string; expire: number };
      assert.equal(made.expire, Math.floor(expire / 1000));
      statuses.push((await bench.get(DEVICES, { token: made.access_token })).status);
      const draft = { token_name: 'app', token_expiration: expire };
      const { token } = (await bench.post(`${DEVICES}/pump/tokens`, draft)).body as { token: string };
      statuses.push((await bench.get('/v3/users/anna/devices/pump/resources/temp', { token })).status);
    }
    assert.deepEqual(statuses, [401, 401, 200, 200]);
  });

  it('allows what it says and nothing else', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    const ask = async (allow: Record<string, Record<string, '*' | string[]>>, path: string, method = 'GET') =>
      (await bench.ask(method, path, { token: await bench.tokenOf('anna', allow) })).status;
    assert.equal(await ask({}, DEVICES), 403);
    assert.equal(await ask({ Bucket: { '*': '*' } }, DEVICES), 403);
    assert.equal(await ask({ device: { '*': ['List*'] } }, DEVICES), 200);
    assert.equal(await ask({ Device: { pump: ['Read*'] } }, `${DEVICES}/pump`), 200);
    assert.equal(await ask({ Device: { 'pu*': ['ReadDevice'] } }, `${DEVICES}/pump/stats`), 403);
    assert.equal(await ask({ Device: { 'pu*': ['ReadDevice'] } }, `${DEVICES}/lamp`), 403);
    assert.equal(await ask({ Device: { pump: ['Read*'] } }, `${DEVICES}/pump`, 'DELETE'), 403);
    const some = await bench.get(DEVICES, { token: await bench.tokenOf('anna', { Device: { pump: '*' } }) });
    assert.deepEqual(
      (some.body as { device: string }[]).map(({ device }) => device),
      ['pump'],
    );
  });

  it('denies more than it allows', async () => {
    const bench = await GatewayBench.start();
    const token = await bench.gateway.createToken('anna', 'x', {
      allow: { '*': { '*': '*' } },
      deny: { Device: { pump: ['Read*'] } },
    });
    assert.equal((await bench.get(`${DEVICES}/pump`, { token })).status, 403);
    assert.equal((await bench.get(`${DEVICES}/lamp`, { token })).status, 200);
    assert.equal(
      (await bench.post(TOKENS, { token: 'y', allow: { '*': { '*': '*' } } }, { token })).status,
      403,
    );
  });

  it('reaches nothing of other users, unless they are asked for by an administrator', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    const token = await bench.tokenOf('bert');
    for (const path of [
      DEVICES,
      `${DEVICES}/pump`,
      `${DEVICES}/none`,
      TOKENS,
      '/v3/users/anna/devices/pump/resources/temp',
      '/v1/users/anna',
    ]) {
      assert.equal((await bench.get(path, { token })).status, 403, path);
    }
    await assert.rejects(bench.socket('/v1/users/anna/events', { token }), /403/);
    assert.equal((await bench.get(DEVICES, { token: await bench.tokenOf('root') })).status, 200);
  });

  it('of a device reaches that device, and of it only what is said', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 }, other: { fn: 3, run: () => 2 } });
    const made = await bench.post(`${DEVICES}/pump/tokens`, { token_name: 'qr', token_resources: ['temp'] });
    const { id, name, token } = made.body as { id: string; name: string; token: string };
    assert.equal(name, 'qr');
    const { dev, usr, res, jti } = claimsOf(token);
    assert.deepEqual({ dev, usr, res, jti }, { dev: 'pump', usr: 'anna', res: ['temp'], jti: id });
    const v2 = '/v2/users/anna/devices/pump';
    assert.deepEqual((await bench.get(`${v2}/temp?authorization=${token}`, { token: null })).body, {
      out: 1,
    });
    assert.deepEqual((await bench.get(`${v2}/api`, { token })).body, { temp: { fn: 3 } });
    assert.equal((await bench.get(`${v2}/other`, { token })).status, 403);
    assert.equal((await bench.get(`${DEVICES}/pump/stats`, { token })).status, 200);
    assert.equal((await bench.get(DEVICES, { token })).status, 403);
    assert.equal((await bench.get(`${DEVICES}/lamp`, { token })).status, 403);
    assert.deepEqual((await bench.get(`${DEVICES}/pump/tokens`)).body, [{ id, name, token }]);
    assert.equal((await bench.ask('DELETE', `${DEVICES}/pump/tokens/${id}`)).status, 200);
    assert.equal((await bench.get(`${v2}/temp`, { token })).status, 401);
  });

  it('is never written into a warning or an answer of an error', async () => {
    const bench = await GatewayBench.start();
    const answer = await bench.get(`/v1/users/anna/none?authorization=${bench.token}`);
    assert.ok(!answer.bytes.includes(bench.token));
  });
});

describe('login', () => {
  it('gives tokens for a password', async () => {
    const bench = await GatewayBench.start();
    const pair = await logIn(bench);
    const { access_token, refresh_token, ...others } = pair;
    assert.deepEqual(others, { expires_in: 7200, scope: null, token_type: 'bearer' });
    assert.equal((await bench.get(DEVICES, { token: access_token })).status, 200);
    assert.equal((await bench.get(DEVICES, { token: refresh_token })).status, 401);
  });

  it('is refused for whoever does not know the password', async () => {
    const bench = await GatewayBench.start();
    for (const username of ['anna', 'nobody']) {
      const answer = await login(bench, { grant_type: 'password', username, password: 'wrong' });
      assert.equal(answer.status, 401);
      assert.equal(errorOf(answer), 'invalid username or password');
    }
    assert.equal((await login(bench, { grant_type: 'client_credentials' })).status, 400);
    assert.equal((await login(bench, {})).status, 400);
  });

  it('is renewed by a refresh token, once; the same again ends the session', async () => {
    const bench = await GatewayBench.start();
    const first = await logIn(bench);
    const renew = (refresh_token: string): Promise<Answer> =>
      login(bench, { grant_type: 'refresh_token', refresh_token, client_id: 'app' });
    const second = (await renew(first.refresh_token)).body as Pair;
    assert.equal((await bench.get(DEVICES, { token: second.access_token })).status, 200);
    const stolen = await renew(first.refresh_token);
    assert.equal(stolen.status, 401);
    assert.equal(errorOf(stolen), 'invalid refresh token');
    assert.equal((await renew(second.refresh_token)).status, 401);
    assert.equal((await bench.get(DEVICES, { token: second.access_token })).status, 401);
    assert.equal((await renew('nonsense')).status, 401);
    assert.equal((await renew(second.access_token)).status, 401);
  });

  it('of two renewals at once lets one through', async () => {
    const bench = await GatewayBench.start();
    const { refresh_token } = await logIn(bench);
    const answers = await Promise.all(
      [1, 2].map(() => login(bench, { grant_type: 'refresh_token', refresh_token })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401]);
  });

  it('ends for a user who is switched off, or has a new password', async () => {
    const bench = await GatewayBench.start();
    const { access_token: token } = await logIn(bench);
    const { access_token: root } = await logIn(bench, 'root');
    const put = (body: unknown, by: string): Promise<Answer> =>
      bench.ask('PUT', '/v1/users/anna', { body, token: by });
    assert.equal((await put({ role: 'admin' }, token)).status, 403);
    assert.equal((await put({ password: 'another one' }, token)).status, 200);
    assert.equal((await bench.get(DEVICES, { token })).status, 401);
    assert.equal((await put({ enabled: false }, root)).status, 200);
    assert.equal((await bench.get(DEVICES)).status, 401);
  });
});

describe('users', () => {
  it('are listed: all for an administrator, himself for anybody else', async () => {
    const bench = await GatewayBench.start();
    const names = ({ body }: Answer): string[] => (body as { user: string }[]).map(({ user }) => user);
    assert.deepEqual(names(await bench.get('/v1/users')), ['anna']);
    const token = await bench.tokenOf('root');
    assert.deepEqual(names(await bench.get('/v1/users', { token })), ['anna', 'bert', 'root']);
    assert.equal(((await bench.get('/v1/users/anna')).body as { role: string }).role, 'user');
    assert.ok(!(await bench.get('/v1/users', { token })).bytes.includes('scrypt'));
  });

  it('are made and deleted by administrators', async () => {
    const bench = await GatewayBench.start();
    const token = await bench.tokenOf('root');
    const carl = { user: 'carl', password: 'carls password' };
    assert.equal((await bench.post('/v1/users', carl)).status, 403);
    assert.equal((await bench.post('/v1/users', carl, { token })).status, 200);
    const { access_token } = await logIn(bench, 'carl');
    assert.equal((await bench.ask('DELETE', '/v1/users/carl', { token })).status, 200);
    assert.equal((await bench.get('/v1/users/carl/devices', { token: access_token })).status, 401);
  });
});
