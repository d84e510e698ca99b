import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench, type Answer } from '../support/gateway-bench';

const V1 = '/v1/users/anna/devices';
const V3 = '/v3/users/anna/devices/pump';

/** What the generated client accepts, and else throws on (`platform-api.md` sections 1.2 and 8.3). */
function checkTaken({ status, type, bytes, headers }: Answer, path: string): void {
  if (status === 200 && bytes.length === 0) {
    assert.equal(headers['content-length'], '0', path);
    assert.equal(type, undefined, path);
    return;
  }
  assert.match(type ?? '', /^application\/json/, path);
  assert.ok(bytes.length > 0, path);
  JSON.parse(bytes.toString());
}

/** A request as it sends them: every part of the path encoded, JSON wanted, a body always JSON. */
async function ask(
  bench: GatewayBench,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Answer> {
  const headers = { Accept: 'application/json, */*;q=0.8', 'Content-Type': 'application/json' };
  const answer = await bench.ask(method, path, {
    headers,
    ...(token !== undefined && { token }),
    ...(body !== undefined && { body }),
  });
  checkTaken(answer, `${method} ${path}`);
  return answer;
}

/** All operations on devices that it has, with what they send. */
const SERVED: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', V1],
  [
    'POST',
    V1,
    { device: 'sdk', credentials: 'secret', type: 'Generic', name: 'n', description: '', enabled: true },
  ],
  ['GET', `${V1}/sdk`],
  [
    'PUT',
    `${V1}/sdk`,
    { name: 'x', asset_type: '', asset_group: 'g', product: '', description: 'd', enabled: true },
  ],
  ['PUT', `${V1}/sdk/projects`, ['anna@green']],
  ['POST', `${V1}/sdk/tokens`, { token_name: 't', token_resources: ['temp'], token_expiration: 0 }],
  ['GET', `${V1}/sdk/tokens`],
  ['GET', '/v1/users/anna/info/devices/stats'],
  ['GET', `${V1}/pump/stats`],
  ['GET', `${V3}/stats`],
  ['GET', `${V3}/resources`],
  ['GET', `${V3}/resources/%24ota%2Foptions`],
  ['POST', `${V3}/resources/led`, true],
  ['POST', `${V3}/resources/photo`, {}],
  ['GET', '/v2/users/anna/devices/pump/%24ota%2Foptions'],
  ['POST', '/v2/users/anna/devices/pump/led', { in: true }],
  ['GET', '/v1/users/anna/devices/pump/%24ota%2Foptions'],
  ['POST', '/v1/users/anna/devices/pump/led', { in: true }],
  ['GET', `${V3}/callback`],
  [
    'PUT',
    `${V3}/callback`,
    {
      actions: { write_bucket: 'log', call_endpoint: '', set_property: 'p', send_property: 'p' },
      properties: { timeout: 5 },
    },
  ],
  ['POST', `${V3}/callback/data`, { t: 1 }],
  ['GET', `${V3}/callback/data`],
  ['GET', `${V3}/buckets`],
  ...['v1', 'v2', 'v3'].map(
    (version) => ['GET', `/${version}/users/anna/devices/pump/buckets/log/data`] as const,
  ),
  ['GET', `${V3}/buckets/log/tags`],
  ['GET', `${V3}/buckets/log/tags/room`],
  ['POST', `${V3}/properties`, { property: 'q', value: 1, name: 'Q', description: '', type: '' }],
  ['GET', `${V3}/properties`],
  ['GET', `${V3}/properties/q`],
  ['PUT', `${V3}/properties/q`, { value: { a: 1 }, form: { fields: [] }, perm: { hidden: ['member'] } }],
  ['PATCH', `${V3}/properties/q`, { value: { b: 2 } }],
  ['GET', `${V3}/properties/q/clone`],
  ['POST', `${V3}/properties/q/clone`, { property: 'copy', name: 'n', description: '' }],
  ['DELETE', `${V3}/properties/q`],
  ['GET', `${V1}/pump/clone`],
  ['POST', `${V1}/pump/clone`, { device: 'copy', name: 'n', description: '', enabled: true }],
  ['DELETE', `${V1}/sdk`],
];

/** Operations that it has and nobody serves here. */
const UNSERVED: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', `${V3}/services`],
  ['GET', `${V3}/services/web1`],
  ['GET', `${V3}/services/web1/vnc`],
  ['GET', `${V3}/services/web1/web`],
  ['GET', '/v1/users/anna/plugins'],
  ['GET', '/v1/users/anna/info/devices/locations'],
];

async function benchOf(): Promise<GatewayBench> {
  const bench = await GatewayBench.start();
  await bench.device({
    '$ota/options': { fn: 3, run: () => ({ enabled: true }) },
    led: { fn: 2, run: () => undefined },
    photo: { fn: 4, run: () => Buffer.from([1, 2, 3]) },
  });
  await bench.post('/v1/users/anna/buckets', { bucket: 'log', config: { source: 'write', tags: ['room'] } });
  return bench;
}

describe('requests of the generated client', () => {
  it('succeed with 200, and JSON or nothing', async () => {
    const bench = await benchOf();
    for (const [method, path, body] of SERVED) {
      const { status } = await ask(bench, method, path, body);
      assert.equal(status, 200, `${method} ${path}`);
    }
  });

  it('fail with JSON where something is not served', async () => {
    const bench = await benchOf();
    for (const [method, path, body] of UNSERVED) {
      const { status } = await ask(bench, method, path, body);
      assert.ok([404, 405, 501].includes(status), `${method} ${path}: ${status}`);
    }
  });

  it('are refused with JSON for a token that is wrong or not for this', async () => {
    const bench = await benchOf();
    const nothing = await bench.tokenOf('anna', {});
    const berts = await bench.tokenOf('bert');
    for (const [method, path, body] of SERVED) {
      assert.equal((await ask(bench, method, path, body, 'wrong')).status, 401);
      assert.equal((await ask(bench, method, path, body, nothing)).status, 403);
      assert.equal((await ask(bench, method, path, body, berts)).status, 403);
    }
  });

  it('list the buckets of a device: those that it feeds, and those that hold its rows', async () => {
    const bench = await benchOf();
    const source = { source: 'device', device: 'pump', resource: 'x', update: 'none' };
    await bench.post('/v1/users/anna/buckets', { bucket: 'fed', config: source });
    await bench.post('/v1/users/anna/buckets', { bucket: 'other', config: { ...source, device: 'lamp' } });
    await bench.ask('PUT', `${V3}/callback`, { body: { actions: { write_bucket: 'log' } } });
    const namesOf = async (): Promise<unknown[]> =>
      ((await ask(bench, 'GET', `${V3}/buckets`)).body as { bucket: string }[]).map(({ bucket }) => bucket);
    assert.deepEqual(await namesOf(), ['fed']);
    await bench.post(`${V3}/callback/data?ts=${Date.UTC(2026, 0, 5)}`, { t: 1 });
    assert.deepEqual(await namesOf(), ['fed', 'log']);
    const rows = await Promise.all(
      ['v1', 'v2', 'v3'].map((version) => bench.get(`/${version}/users/anna/devices/pump/buckets/log/data`)),
    );
    const flat = [{ ts: Date.UTC(2026, 0, 5), device: 'pump', t: 1 }];
    assert.deepEqual(
      rows.map(({ body }) => body),
      [[{ ts: Date.UTC(2026, 0, 5), device: 'pump', val: { t: 1 } }], flat, flat],
    );
  });

  it('log in with a password as OAuth 2 has it', async () => {
    const bench = await GatewayBench.start();
    const form = (raw: string): Promise<Answer> =>
      bench.ask('POST', '/oauth/token', {
        token: null,
        raw,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
      });
    const { body, status } = await form(
      'grant_type=password&username=anna&password=annas+password&scope=basic',
    );
    assert.equal(status, 200);
    assert.equal((body as { token_type: string }).token_type, 'bearer');
    assert.equal((await form('grant_type=password&username=anna&password=wrong')).status, 401);
  });
});
