import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from '../support/gateway-bench';
import { NodeRedClient, type NodeRedError, type NodeRedResult } from '../support/node-red-client';

const DEVICES = '/v1/users/anna/devices';
const BUCKETS = '/v1/users/anna/buckets';
const RESOURCES = '/v3/users/anna/devices/pump/resources';

interface AssetRow {
  readonly asset: string;
  readonly role: string;
  readonly paths: { readonly list: string };
}

/** Pages as asset-iterator asks for them, until one is not full; a listing that does not end fails. */
async function pagesOf(client: NodeRedClient, list: string, filter = ''): Promise<number[]> {
  const lengths: number[] = [];
  let index = 0;
  do {
    assert.ok(lengths.length < 10, 'the listing does not end');
    const path = list.replace(/\(\?<user>[^)]+\)/, 'anna');
    const { payload } = await client.get(`/${path}?count=50&${filter}index=${index}`);
    assert.ok(Array.isArray(payload), path);
    lengths.push(payload.length);
    index += payload.length;
  } while (lengths.at(-1) === 50);
  return lengths;
}

describe('asset-iterator', () => {
  it('pages by offset until a page is not full', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    for (let index = 0; index < 98; index++) {
      await client.request('POST', DEVICES, { type: 'HTTP', device: `d${index}` });
    }
    const { payload } = await client.get('/v1/server/assets');
    const list = (payload as AssetRow[]).find(({ asset }) => asset === 'device')!.paths.list;
    assert.deepEqual(await pagesOf(client, list), [50, 50, 0]);
    assert.deepEqual(await pagesOf(client, list, 'name=d1&'), [11]);
    assert.deepEqual(await pagesOf(client, list, 'name=^d[12]$&'), [2], 'the filter is a regular expression');
    assert.deepEqual(await pagesOf(client, list, 'name=d1&count=5&'), [5], 'the later count is meant');
    assert.deepEqual(
      await pagesOf(client, list, 'name=(&'),
      [0],
      'a filter that is no pattern finds nothing',
    );
  });

  it('gets an array of every asset that is listed', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const { payload } = await client.get('/v1/server/assets');
    for (const { asset, paths } of payload as AssetRow[]) {
      const [length = 50] = await pagesOf(client, paths.list);
      assert.ok(length < 50, asset);
    }
  });

  it('filters by type, group, product and project', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const device = { type: 'HTTP', device: 'd1', asset_type: 'a', asset_group: 'g', product: 'p' };
    await client.request('POST', DEVICES, device);
    await client.request('PUT', `${DEVICES}/d1/projects`, ['anna@green']);
    const list = DEVICES.slice(1);
    for (const filter of ['asset_type=a&', 'asset_group=g&', 'product=p&', 'project=green&', 'type=HTTP&']) {
      assert.deepEqual(await pagesOf(client, list, filter), [1], filter);
      assert.deepEqual(await pagesOf(client, list, filter.replace('=', '=x')), [0], filter);
    }
  });
});

describe('device-read and device-write', () => {
  it('get and send plain values', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const got: unknown[] = [];
    await bench.device({
      temp: { fn: 3, run: () => 21.5 },
      led: { fn: 2, run: (input) => void got.push(input) },
      sum: { fn: 4, run: (input) => ({ got: input }) },
      blink: { fn: 1, run: () => void got.push('blink') },
    });
    assert.deepEqual(await client.get(`${RESOURCES}/temp`), { status: 200, payload: 21.5 });
    const bytes = Buffer.from([1, 2]);
    for (const data of ['true', '23.5', '"on"', { r: 1 }, bytes]) {
      const { status, payload } = await client.request('POST', `${RESOURCES}/led`, data);
      assert.equal(status, 200);
      assert.deepEqual(payload, Buffer.alloc(0), 'no content type, no body');
    }
    assert.deepEqual(got.splice(0), [true, 23.5, 'on', { r: 1 }, bytes]);
    const sum = await client.request('POST', `${RESOURCES}/sum`, [1, 2]);
    assert.deepEqual(sum.payload, { got: [1, 2] });
    assert.equal((await client.get(`${RESOURCES}/blink`)).status, 200);
    assert.equal((await client.request('POST', `${RESOURCES}/blink`)).status, 200);
    assert.deepEqual(got, ['blink', 'blink']);
  });

  it('read by POST, too, with whatever the message holds', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await bench.device({ temp: { fn: 3, run: () => ({ celsius: 4 }) } });
    for (const data of [undefined, { any: 'thing' }]) {
      const { payload } = await client.request('POST', `${RESOURCES}/temp`, data);
      assert.deepEqual(payload, { celsius: 4 });
    }
  });

  it('take slashes and other characters as they are', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await bench.device({
      'room/1/temp': { fn: 3, run: () => 1 },
      'höhe m': { fn: 3, run: () => 2 },
      $sys: { fn: 3, run: () => 3 },
    });
    const values = [];
    for (const name of ['room/1/temp', 'höhe m', '$sys']) {
      values.push((await client.get(`${RESOURCES}/${name}`)).payload);
    }
    assert.deepEqual(values, [1, 2, 3]);
  });

  it('are told what is not there as 404, and what is wrong by a message', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const missing: NodeRedResult = { status: 404, error: 'not found' };
    assert.deepEqual(await client.get(`${RESOURCES}/temp`), missing, 'offline');
    assert.deepEqual(await client.get(RESOURCES.replace('pump', 'nobody')), missing, 'no such device');
    const device = await bench.device({
      temp: { fn: 3, run: () => 1 },
      led: { fn: 2, run: () => undefined },
    });
    assert.deepEqual(await client.get(`${RESOURCES}/other`), missing, 'no such resource');
    assert.deepEqual(await client.request('POST', `${RESOURCES}/other`, { x: 1 }), missing);
    await assert.rejects(client.request('POST', `${RESOURCES}/led`, 'on'), (error: NodeRedError) => {
      assert.equal(error.status, 400, 'a text that is no JSON');
      assert.match(error.message, /not JSON/);
      return true;
    });
    device.wire.cut();
    await bench.until(() => bench.server.deviceCount === 0);
    assert.deepEqual(await client.get(`${RESOURCES}/temp`), missing, 'gone');
    await bench.device({ temp: { fn: 3, run: () => 5 } });
    assert.equal((await client.get(`${RESOURCES}/temp`)).payload, 5, 'back again');
  });

  it('keep five sockets, also over failures, and share them', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await bench.device({ temp: { fn: 3, run: () => 1 }, led: { fn: 2, run: () => undefined } });
    await Promise.all(Array.from({ length: 20 }, () => client.get(`${RESOURCES}/temp`)));
    await client.get(`${RESOURCES}/other`);
    await client.request('POST', `${RESOURCES}/led`, 'on').catch(() => undefined);
    await client.request('POST', `${RESOURCES}/led`, { on: true });
    assert.equal(client.ports.length, 23);
    assert.equal(new Set(client.ports).size, 5);
  });

  it('learn within their 30 s that a device does not answer, and go on with others', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const device = await bench.device({ temp: { fn: 3, run: () => 1 } });
    await client.get(`${RESOURCES}/temp`);
    device.serves = false;
    const asked = client.get(`${RESOURCES}/temp`).catch((error: unknown) => error as NodeRedError);
    await device.next();
    assert.equal((await client.get(`${DEVICES}/pump`)).status, 200);
    await bench.broker.clock.advance(20_000);
    const error = await asked;
    assert.ok(error instanceof Error);
    assert.equal(error.status, 504);
  });

  it('are refused for a token that is wrong, revoked, or not for this', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    const statusOf = async (token: string): Promise<number> => {
      client.token = token;
      return client.get(`${RESOURCES}/temp`).then(
        ({ status }) => status,
        (error: unknown) => (error as NodeRedError).status,
      );
    };
    const expired = await bench.gateway.createToken('anna', 'old', {
      allow: { '*': { '*': '*' } },
      expire: 1,
    });
    assert.equal(await statusOf('undefined'), 401);
    assert.equal(await statusOf(expired), 401);
    assert.equal(await statusOf(await bench.tokenOf('bert')), 403);
    assert.equal(await statusOf(await bench.tokenOf('anna', { Bucket: { '*': '*' } })), 403);
    assert.equal(await statusOf(bench.token), 200);
  });
});

describe('device-create', () => {
  const data = {
    type: 'Generic',
    device: 'new1',
    credentials: 'secret1',
    name: 'New',
    enabled: true,
    asset_type: 'a',
    asset_group: 'g',
    product: 'p',
  };

  it('asks, makes, changes, and sets projects', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    assert.equal((await client.get(`${DEVICES}/new1`)).status, 404);
    const made = await client.request('POST', DEVICES, data);
    assert.equal((made.payload as { device: string }).device, 'new1');
    assert.equal((await client.get(`${DEVICES}/new1`)).status, 200);
    const { device: _device, type: _type, ...change } = data;
    const changed = await client.request('PUT', `${DEVICES}/new1`, { ...change, name: 'Newer' });
    assert.equal((changed.payload as { name: string }).name, 'Newer');
    const projects = await client.request('PUT', `${DEVICES}/new1/projects`, ['anna@green', 'anna@blue']);
    assert.deepEqual(projects.payload, Buffer.alloc(0));
    const { payload } = await client.get(`${DEVICES}/new1`);
    assert.deepEqual((payload as { project: string[] }).project, ['anna@green', 'anna@blue']);
  });

  it('leaves a device connected that is written again as it is', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', DEVICES, data);
    const device = await bench.device({}, { device: 'new1', credential: 'secret1' });
    const { device: _device, type: _type, ...change } = data;
    await client.request('PUT', `${DEVICES}/new1`, { ...change, description: 'again' });
    assert.equal(bench.server.deviceCount, 1);
    await client.request('PUT', `${DEVICES}/new1`, { ...change, credentials: 'secret2' });
    await device.closed;
    assert.equal(bench.server.deviceCount, 0);
  });

  it('is told why not', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const refused: [unknown, number][] = [
      [{ ...data, credentials: undefined }, 400],
      [{ ...data, type: 'HTTP' }, 400],
      [{ ...data, device: 'no blanks' }, 400],
      [{ ...data, credentials: 'short' }, 400],
      [{ ...data, device: 'pump' }, 409],
    ];
    for (const [body, status] of refused) {
      await assert.rejects(client.request('POST', DEVICES, body), (error: NodeRedError) => {
        assert.equal(error.status, status);
        return error.message.length > 0;
      });
    }
  });
});

describe('device-callback', () => {
  it('provisions bucket and device unless its data was taken', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const path = '/v3/users/anna/devices/NR_hook/callback';
    const about = { name: 'hook', asset_type: 'a', asset_group: 'g', product: 'p' };
    assert.equal((await client.request('POST', `${path}/data`, { t: 1 })).status, 404);
    await client.request('POST', BUCKETS, {
      bucket: 'NR_hook',
      ...about,
      description: 'Made for a device',
      enabled: true,
      config: { source: 'api' },
    });
    await client.request('POST', DEVICES, {
      type: 'HTTP',
      device: 'NR_hook',
      ...about,
      description: 'Made for a device',
    });
    await client.request('PUT', path, { actions: { write_bucket: 'NR_hook' } });
    const answer = await client.request('POST', `${path}/data`, { t: 2 });
    assert.deepEqual([answer.status, answer.payload], [200, Buffer.alloc(0)], 'no other status will do');
    const { payload } = await client.get(`${BUCKETS}/NR_hook/data?items=1&`);
    assert.deepEqual((payload as { val: unknown }[])[0]?.val, { t: 2 });
    for (const data of [[1, 2], 'true', '5', '"text"']) {
      assert.equal((await client.request('POST', `${path}/data`, data)).status, 200);
    }
  });

  it('gets the property that was named, with data and without', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const path = '/v3/users/anna/devices/NR_hook/callback';
    await client.request('POST', DEVICES, { type: 'HTTP', device: 'NR_hook' });
    assert.deepEqual((await client.get(`${path}/data`)).payload, Buffer.alloc(0));
    await client.request('PUT', path, { actions: { set_property: 'last', send_property: 'last' } });
    assert.deepEqual((await client.request('POST', `${path}/data?ts=1000`, { t: 1 })).payload, { t: 1 });
    assert.deepEqual((await client.get(`${path}/data?t=2`)).payload, { t: 2 });
    assert.deepEqual((await client.get(`${path}/data`)).payload, { t: 2 });
  });
});

describe('endpoint-call', () => {
  it('passes on what a flow answers, whatever it is', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    bench.services.endpoints.host('alert', ({ payload }) => ({ got: payload ?? null }));
    bench.services.endpoints.host('quiet', () => undefined);
    const call = (endpoint: string, data?: unknown): Promise<NodeRedResult> =>
      client.request('POST', `/v1/users/anna/endpoints/${endpoint}/call`, data);
    assert.deepEqual((await call('alert', { level: 3 })).payload, { got: { level: 3 } });
    assert.deepEqual((await call('alert', 'true')).payload, { got: true });
    assert.deepEqual((await call('alert')).payload, { got: null });
    assert.deepEqual((await call('quiet', {})).payload, Buffer.alloc(0));
    assert.equal((await call('nobody', {})).status, 404);
    await client.request('POST', '/v1/users/anna/endpoints', { endpoint: 'mail', type: 'flow', config: {} });
    await assert.rejects(call('mail', {}), { status: 501 });
  });
});

describe('property-read and property-write', () => {
  it('look for the property in the list, then change or make it', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const path = '/v3/users/anna/devices/pump/properties';
    assert.deepEqual((await client.get(path)).payload, []);
    assert.equal((await client.get(`${path}/limit`)).status, 404);
    await client.request('POST', path, { property: 'limit', value: 5 });
    const { payload } = await client.get(path);
    assert.deepEqual(
      (payload as { property: string }[]).map(({ property }) => property),
      ['limit'],
    );
    for (const value of [6, 'text', true, [1], { a: { b: 1 } }]) {
      await client.request('PUT', `${path}/limit`, { value });
      const read = await client.get(`${path}/limit`);
      assert.deepEqual((read.payload as { value: unknown }).value, value);
    }
    assert.equal((await client.get(path.replace('pump', 'nobody'))).status, 404);
    const lost = await client.request('POST', path.replace('pump', 'nobody'), { property: 'p', value: 1 });
    assert.equal(lost.status, 404);
  });
});
