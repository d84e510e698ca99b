import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { errorOf, GatewayBench } from './support/gateway-bench';

const USER = '/v1/users/anna';
const BYTES = { 'Content-Type': 'application/octet-stream' };

/** What programs of the platform ask for, and the reason why it is not here. */
const REFUSED: readonly [path: string, body: Record<string, unknown>, reason: RegExp][] = [
  ['devices', { device: 'm', type: 'MQTT', credentials: 'secret' }, /MQTT/],
  ['buckets', { bucket: 'b', backend: 'mongodb' }, /backend/],
  ['endpoints', { endpoint: 'e', type: 'email' }, /host the endpoint in a flow/],
  ['endpoints', { endpoint: 'e', type: 'http_request', config: { url: 'http://x' } }, /flow/],
  ['products', { product: 'q', profile: { api: {} } }, /profiles/],
  ['storages', { storage: 's', public: true }, /token/],
];

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
}

describe('what this server does not do', () => {
  for (const [path, body, reason] of REFUSED) {
    it(`is refused with 501 and the reason: ${path} ${JSON.stringify(body)}`, async () => {
      const bench = await GatewayBench.start();
      const answer = await bench.post(`${USER}/${path}`, body);
      assert.equal(answer.status, 501);
      assert.match(errorOf(answer) ?? '', reason);
      const [id] = Object.values(body);
      assert.equal((await bench.get(`${USER}/${path}/${String(id)}`)).status, 404, 'nothing is made');
    });
  }

  it('is refused in changes, too; what was made before stays', async () => {
    const bench = await GatewayBench.start();
    await bench.post(`${USER}/buckets`, { bucket: 'b', backend: '' });
    await bench.post(`${USER}/endpoints`, { endpoint: 'e' });
    await bench.post(`${USER}/products`, { product: 'q' });
    for (const [path, body] of [
      ['buckets/b', { backend: 'influxdb' }],
      ['endpoints/e', { type: 'email' }],
      ['products/q', { profile: {} }],
    ] as const) {
      assert.equal((await bench.ask('PUT', `${USER}/${path}`, { body })).status, 501, path);
      assert.equal((await bench.ask('PUT', `${USER}/${path}`, { body: { description: 'd' } })).status, 200);
    }
  });

  it('is refused where products have profiles', async () => {
    const bench = await GatewayBench.start();
    await bench.post(`${USER}/products`, { product: 'q' });
    for (const rest of ['profile', 'profile/api', 'profile/api/x', 'profile/buckets/b/c']) {
      assert.equal((await bench.get(`${USER}/products/q/${rest}`)).status, 501, rest);
      assert.equal((await bench.ask('PUT', `${USER}/products/q/${rest}`, { body: {} })).status, 501, rest);
      assert.equal((await bench.get(`${USER}/products/none/${rest}`)).status, 404, rest);
    }
  });
});

describe('bytes', () => {
  it('are refused with 415 by every route that takes only JSON', async () => {
    const bench = await GatewayBench.start();
    const document = (await bench.get('/openapi.json')).body as {
      paths: Record<string, Record<string, Operation>>;
    };
    let count = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        if (requestBody === undefined || 'application/octet-stream' in requestBody.content) continue;
        const actual = path.replace('{user}', 'anna').replace(/\{\w+\}/g, 'pump');
        const answer = await bench.ask(method.toUpperCase(), actual, { raw: 'ab\0', headers: BYTES });
        const admin = answer.status === 403;
        assert.ok(answer.status === 415 || admin, `${method} ${path}: ${answer.status}`);
        if (!admin) count++;
      }
    }
    assert.ok(count > 20, String(count));
  });

  it('never make the server fail, whatever takes them', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ sum: { fn: 4, run: () => 1 } });
    await bench.post(`${USER}/buckets`, { bucket: 'b' });
    for (const [method, path] of [
      ['POST', `${USER}/buckets/b/data`],
      ['POST', '/v3/users/anna/devices/pump/callback/data'],
      ['POST', '/v3/users/anna/devices/pump/properties'],
      ['PUT', '/v3/users/anna/devices/pump/properties/p'],
      ['PATCH', '/v3/users/anna/devices/pump/properties/p'],
      ['POST', '/v3/users/anna/devices/pump/resources/sum'],
      ['POST', '/oauth/token'],
    ] as const) {
      const answer = await bench.ask(method, path, { raw: Buffer.from([0, 255, 1]), headers: BYTES });
      assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
    }
  });
});

describe('data of a callback', () => {
  const DATA = '/v3/users/anna/devices/pump/callback/data';

  async function start(): Promise<GatewayBench> {
    const bench = await GatewayBench.start();
    const body = {
      actions: { write_bucket: 'log', call_endpoint: '', set_property: 'last', send_property: '' },
    };
    assert.equal((await bench.ask('PUT', '/v3/users/anna/devices/pump/callback', { body })).status, 200);
    return bench;
  }

  it('has settings of which unknown members are refused and named, and nothing of the change is kept', async () => {
    const bench = await start();
    const path = '/v3/users/anna/devices/pump/callback';
    const before = (await bench.get(path)).body;
    for (const [body, name] of [
      [{ actions: { write_bucket: 'other', write_buckets: 'x' } }, 'write_buckets'],
      [{ properties: { timeout: 5, timeouts: 6 } }, 'timeouts'],
      [{ actions: { write_bucket: 'other' }, property: {} }, 'property'],
    ] as const) {
      const answer = await bench.ask('PUT', path, { body });
      assert.equal(answer.status, 400);
      assert.match(JSON.stringify(answer.body), new RegExp(`\\b${name}\\b`));
    }
    assert.deepEqual((await bench.get(path)).body, before);
  });

  it('makes the bucket that it goes to, as the data of a device does', async () => {
    const bench = await start();
    assert.equal((await bench.post(DATA, { t: 21.5 })).status, 200);
    const rows = (await bench.get(`/v2/users/anna/buckets/log/data`)).body as Record<string, unknown>[];
    assert.equal(rows[0]?.t, 21.5);
    const bucket = await bench.services.buckets.get({ user: 'anna', bucket: 'log' });
    assert.deepEqual(bucket?.settings.config, { source: 'write' });
  });

  const BODIES: readonly [type: string | undefined, raw: string | Buffer, value: unknown][] = [
    ['text/plain', 'just a text', 'just a text'],
    ['application/xml', '<t>21</t>', '<t>21</t>'],
    ['text/plain', '{"t":1}', { t: 1 }],
    [undefined, 'on', 'on'],
    ['application/x-www-form-urlencoded', 't=21.5&on=true&name=a+b', { t: 21.5, on: true, name: 'a b' }],
    ['application/json', '{"t":', '{"t":'],
    ['application/octet-stream', Buffer.from([1, 255]), Buffer.from([1, 255])],
    ['image/png', Buffer.from([0x89, 0x50, 0xff]), Buffer.from([0x89, 0x50, 0xff])],
  ];
  for (const [type, raw, value] of BODIES) {
    it(`may be of any kind: ${type ?? 'none'} ${JSON.stringify(raw)}`, async () => {
      const bench = await start();
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const answer = await bench.ask('POST', DATA, { raw, headers });
      assert.equal(answer.status, 200, errorOf(answer));
      const kept = await bench.services.properties.get({ user: 'anna', device: 'pump' }, 'last');
      assert.deepEqual(kept?.value, value);
    });
  }

  it('lets its device count as seen, of whatever type it is', async () => {
    const bench = await start();
    const before = Date.now();
    await bench.post(DATA, 1);
    const row = (await bench.get('/v1/users/anna/devices/pump')).body as {
      connection: { active: boolean; ts: number };
    };
    assert.equal(row.connection.active, false);
    assert.ok(row.connection.ts >= before);
  });
});
