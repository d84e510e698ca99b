import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench, type Answer } from '../support/gateway-bench';

const DEVICE = '/v2/users/anna/devices/pump';
const HEADERS = { Accept: 'application/json, text/plain, */*' };
const FORM = { ...HEADERS, 'Content-Type': 'application/x-www-form-urlencoded' };

interface TokenPair {
  readonly access_token: string;
  readonly refresh_token: string;
}

const form = (bench: GatewayBench, raw: string): Promise<Answer> =>
  bench.ask('POST', '/oauth/token', { token: null, raw, headers: FORM });

/** A device with a resource of each function. */
async function benchOf(): Promise<[GatewayBench, unknown[]]> {
  const bench = await GatewayBench.start();
  const acts: unknown[] = [];
  await bench.device({
    led: { fn: 2, run: (input) => void acts.push(input) },
    temp: { fn: 3, run: () => ({ celsius: 4, name: 'x' }) },
    sum: { fn: 4, run: (input) => ({ of: input ?? 0 }) },
    blink: { fn: 1, run: () => void acts.push('blink') },
    $ota: { fn: 3, run: () => 1 },
  });
  acts.length = 0;
  return [bench, acts];
}

describe('the mobile app', () => {
  it('logs in, and renews its login under the name that it has for that', async () => {
    const bench = await GatewayBench.start();
    const login = await form(bench, 'grant_type=password&username=anna&password=annas password');
    assert.equal(login.status, 200);
    const first = login.body as TokenPair;
    const token = first.access_token;
    assert.equal((await bench.get('/v1/users/anna/devices', { token, headers: HEADERS })).status, 200);
    const renewed = await form(bench, `grant_type=refresh_token&refreshToken=${first.refresh_token}`);
    assert.equal(renewed.status, 200);
    const second = renewed.body as TokenPair;
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(
      (await form(bench, `grant_type=refresh_token&refreshToken=${first.refresh_token}`)).status,
      401,
    );
    assert.equal((await form(bench, 'grant_type=refresh_token')).status, 401);
    assert.equal((await form(bench, 'grant_type=password&username=anna&password=wrong')).status, 401);
  });

  it('lists devices with what it shows of them', async () => {
    const [bench] = await benchOf();
    for (const query of ['', '?id=pump']) {
      const { body } = await bench.get(`/v1/users/anna/devices${query}`, { headers: HEADERS });
      const rows = body as {
        device: string;
        user: string;
        description: string;
        type: string;
        connection: object;
      }[];
      const pump = rows.find(({ device }) => device === 'pump');
      assert.deepEqual([pump?.user, pump?.type, typeof pump?.description], ['anna', 'Generic', 'string']);
      assert.deepEqual(Object.keys(pump?.connection ?? {}).slice(0, 2), ['active', 'ts']);
    }
    const { body } = await bench.get('/v1/users/anna/devices/pump/stats', { headers: HEADERS });
    assert.equal((body as { connected: boolean }).connected, true);
  });

  it('shows every resource by what it takes and gives', async () => {
    const [bench] = await benchOf();
    const { body } = await bench.get(`${DEVICE}/api`, { headers: HEADERS });
    const names = Object.keys(body as object).filter((name) => !name.startsWith('$'));
    assert.deepEqual(names.sort(), ['blink', 'led', 'sum', 'temp']);
    for (const name of names) {
      const described = await bench.get(`${DEVICE}/${name}/api`, { headers: HEADERS });
      assert.equal(described.status, 200, name);
      assert.ok(
        Object.keys(described.body as object).every((key) => ['in', 'out'].includes(key)),
        name,
      );
    }
    const temp = await bench.get(`${DEVICE}/temp/api`, { headers: HEADERS });
    assert.deepEqual(temp.body, { out: { celsius: 4, name: 'x' } });
  });

  it('writes wrapped values, and runs by GET', async () => {
    const [bench, acts] = await benchOf();
    const write = (name: string, value: unknown): Promise<Answer> =>
      bench.post(`${DEVICE}/${name}`, { in: value }, { headers: HEADERS });
    for (const value of [true, false, 0, 5, 'text', { r: 1 }]) {
      assert.equal((await write('led', value)).status, 200);
    }
    assert.deepEqual(acts.splice(0), [true, false, 0, 5, 'text', { r: 1 }]);
    assert.deepEqual((await write('sum', { a: 1 })).body, { out: { of: { a: 1 } } });
    const run = await bench.get('/v1/users/anna/devices/pump/blink', { headers: HEADERS });
    assert.deepEqual([run.status, acts], [200, ['blink']]);
  });

  it('takes 404 for a device that is away, and 401 for a token that counts no more', async () => {
    const bench = await GatewayBench.start();
    const paths = [`${DEVICE}/api`, `${DEVICE}/temp/api`, '/v1/users/anna/devices/pump/blink'];
    for (const path of paths) {
      assert.equal((await bench.get(path, { headers: HEADERS })).status, 404, path);
      assert.equal((await bench.get(path, { headers: HEADERS, token: 'wrong' })).status, 401, path);
    }
    assert.equal((await bench.post(`${DEVICE}/led`, { in: true }, { headers: HEADERS })).status, 404);
  });

  it('opens a device by a code: a token with all that the app reads of it', async () => {
    const [bench, acts] = await benchOf();
    const made = await bench.post('/v1/users/anna/devices/pump/tokens', {
      token_name: 'phone',
      token_resources: ['led', 'blink'],
    });
    const { token } = made.body as { token: string };
    const [, claims = ''] = token.split('.');
    assert.match(claims, /^[A-Za-z0-9+/]*$/, 'the app reads no other alphabet of base64');
    const { dev, usr, jti, iat, res, svr } = JSON.parse(Buffer.from(claims, 'base64').toString()) as Record<
      string,
      unknown
    >;
    assert.deepEqual([dev, usr, res, svr], ['pump', 'anna', ['led', 'blink'], `127.0.0.1:${bench.port}`]);
    assert.deepEqual([typeof jti, typeof iat], ['string', 'number']);
    const ask = { token, headers: HEADERS };
    assert.deepEqual(Object.keys((await bench.get(`${DEVICE}/api`, ask)).body as object).sort(), [
      'blink',
      'led',
    ]);
    assert.equal((await bench.get(`${DEVICE}/led/api`, ask)).status, 200);
    assert.equal((await bench.post(`${DEVICE}/led`, { in: true }, ask)).status, 200);
    assert.equal((await bench.get('/v1/users/anna/devices/pump/blink', ask)).status, 200);
    assert.deepEqual(acts.slice(-2), [true, 'blink']);
    assert.equal((await bench.get(`${DEVICE}/temp/api`, ask)).status, 403);
    assert.equal((await bench.get('/v2/users/anna/devices/lamp/api', ask)).status, 403);
    assert.equal((await bench.get('/v1/users/anna/devices', ask)).status, 403);
  });

  it('opens a device until its code expires', async () => {
    const [bench] = await benchOf();
    const expiring = { token_name: 'old', token_expiration: 1 };
    const made = await bench.post('/v1/users/anna/devices/pump/tokens', expiring);
    const { token } = made.body as { token: string };
    assert.equal((await bench.get(`${DEVICE}/api`, { token, headers: HEADERS })).status, 401);
  });
});

describe('a button of a web service', () => {
  it('writes with version 2 and the token of a device in the query', async () => {
    const [bench, acts] = await benchOf();
    const made = await bench.post('/v1/users/anna/devices/pump/tokens', { token_name: 'button' });
    const { token } = made.body as { token: string };
    const path = `${DEVICE}/led?authorization=${token}`;
    assert.equal((await bench.post(path, { in: true }, { token: null })).status, 200);
    assert.equal((await bench.post(path, { red: 1, blue: 2 }, { token: null })).status, 200);
    assert.deepEqual(acts, [true, { red: 1, blue: 2 }]);
    assert.equal(
      (await bench.post(`${DEVICE}/led?Authorization=${token}`, { in: 1 }, { token: null })).status,
      401,
    );
  });
});
