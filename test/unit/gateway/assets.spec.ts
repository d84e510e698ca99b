import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { openFileStore, temporaryFolder } from '../store/support/stores';
import { join } from 'node:path';
import { errorOf, GatewayBench } from './support/gateway-bench';

const KINDS = ['type', 'group', 'product', 'project', 'storage'] as const;
const V1 = '/v1/users/anna';

type Row = Record<string, unknown>;

/** A document without its times. */
function bare(body: unknown): Row {
  const { created, modified, ...rest } = body as Row;
  assert.equal(typeof created, 'number');
  assert.equal(typeof modified, 'number');
  return rest;
}

function idsOf(kind: string, body: unknown): unknown[] {
  return (body as Row[]).map((row) => row[kind]);
}

describe('assets', () => {
  for (const kind of KINDS) {
    it(`of kind ${kind} are made, read, changed, listed and deleted, and events tell of it`, async () => {
      const bench = await GatewayBench.start();
      const socket = await bench.socket(`${V1}/events`);
      socket.send({ event: `${kind}_.*` });
      await socket.synced();
      const path = `${V1}/${kind}s`;
      assert.deepEqual((await bench.get(path)).body, []);
      const made = await bench.post(path, { [kind]: 'a1', name: 'First', colour: { r: 1 } });
      assert.equal(made.status, 200);
      const expected = {
        [kind]: 'a1',
        user: 'anna',
        name: 'First',
        description: '',
        enabled: true,
        colour: { r: 1 },
        ...(kind === 'project' ? {} : { project: [] }),
      };
      assert.deepEqual(bare(made.body), expected);
      assert.deepEqual((await bench.get(`${path}/a1`)).body, made.body);
      const put = await bench.ask('PUT', `${path}/a1`, {
        body: { ...(made.body as Row), description: 'Best', colour: null, user: 'bert', created: 5 },
      });
      const { colour: _, ...rest } = expected;
      assert.deepEqual(bare(put.body), { ...rest, description: 'Best' });
      assert.equal((put.body as Row).created, (made.body as Row).created);
      await bench.post(path, { [kind]: 'b2' });
      assert.deepEqual(idsOf(kind, (await bench.get(path)).body), ['a1', 'b2']);
      assert.equal((await bench.ask('DELETE', `${path}/a1`)).status, 200);
      assert.equal((await bench.get(`${path}/a1`)).status, 404);
      assert.equal((await bench.ask('DELETE', `${path}/a1`)).status, 404);
      await bench.until(() => socket.frames.length === 4);
      assert.deepEqual(
        socket.messages.map(({ event, [kind]: id }) => [event, id]),
        [
          [`${kind}_create`, 'a1'],
          [`${kind}_update`, 'a1'],
          [`${kind}_create`, 'b2'],
          [`${kind}_delete`, 'a1'],
        ],
      );
    });

    it(`of kind ${kind} are refused when they are not what they should be`, async () => {
      const bench = await GatewayBench.start();
      const path = `${V1}/${kind}s`;
      const bad = [
        undefined,
        [],
        5,
        {},
        { name: 'x' },
        { [kind]: '' },
        { [kind]: 'a b' },
        { [kind]: '../a' },
        { [kind]: 'x'.repeat(33) },
        { [kind]: 7 },
        { [kind]: 'a', name: 5 },
        { [kind]: 'a', enabled: 'yes' },
        { [kind]: 'a', name: 'x'.repeat(300) },
      ];
      for (const body of bad) assert.equal((await bench.post(path, body)).status, 400, JSON.stringify(body));
      assert.equal((await bench.ask('POST', path, { raw: '{' })).status, 400);
      assert.equal((await bench.post(path, { [kind]: 'a', blob: 'x'.repeat(70_000) })).status, 413);
      assert.deepEqual((await bench.get(path)).body, []);
      await bench.post(path, { [kind]: 'a' });
      const twice = await bench.post(path, { [kind]: 'a' });
      assert.deepEqual([twice.status, errorOf(twice)], [409, `${kind} a is already there`]);
      for (const name of ['none', '%2e%2e', 'a%2Fb', 'a%00', '__proto__', 'constructor']) {
        const { status } = await bench.get(`${path}/${name}`);
        assert.ok(status === 404 || status === 400, `${name}: ${status}`);
      }
    });

    it(`of kind ${kind} are cloned with their settings and properties`, async () => {
      const bench = await GatewayBench.start();
      const path = `${V1}/${kind}s`;
      await bench.post(path, { [kind]: 'a', name: 'A', colour: 1 });
      const owner = { user: 'anna', asset: { kind, id: 'a' } };
      await bench.services.properties.set(owner, 'limit', 5, { description: 'most' });
      const template = await bench.get(`${path}/a/clone`);
      assert.deepEqual(template.body, { name: 'A', description: '', enabled: true, colour: 1 });
      const clone = await bench.post(`${path}/a/clone`, { [kind]: 'b', description: 'B' });
      assert.equal(clone.status, 200);
      const { name, description, colour } = clone.body as Row;
      assert.deepEqual([name, description, colour], ['A', 'B', 1]);
      const copied = await bench.services.properties.get({ ...owner, asset: { kind, id: 'b' } }, 'limit');
      assert.deepEqual([copied?.value, copied?.attributes], [5, { description: 'most' }]);
      assert.equal((await bench.post(`${path}/a/clone`, { [kind]: 'b' })).status, 409);
      assert.equal((await bench.post(`${path}/a/clone`, {})).status, 400);
      assert.equal((await bench.post(`${path}/none/clone`, { [kind]: 'c' })).status, 404);
      assert.equal((await bench.get(`${path}/none/clone`)).status, 404);
    });

    it(`of kind ${kind} need a token that allows them`, async () => {
      const bench = await GatewayBench.start();
      const path = `${V1}/${kind}s`;
      for (const id of ['mine', 'other']) await bench.post(path, { [kind]: id });
      const noun = kind.charAt(0).toUpperCase() + kind.slice(1);
      const token = await bench.tokenOf('anna', { [noun]: { 'mi*': ['List*', 'Read*', 'Create*'] } });
      assert.deepEqual(idsOf(kind, (await bench.get(path, { token })).body), ['mine']);
      assert.equal((await bench.get(`${path}/mine`, { token })).status, 200);
      assert.equal((await bench.get(`${path}/other`, { token })).status, 403);
      assert.equal((await bench.post(path, { [kind]: 'mi3' }, { token })).status, 200);
      assert.equal((await bench.post(path, { [kind]: 'nine' }, { token })).status, 403);
      assert.equal((await bench.ask('PUT', `${path}/mine`, { token, body: {} })).status, 403);
      assert.equal((await bench.ask('DELETE', `${path}/mine`, { token })).status, 403);
      assert.equal((await bench.get(`${path}/mine/clone`, { token })).status, 403);
      const cloning = await bench.tokenOf('anna', {
        [noun]: { mine: [`Clone${noun}`], new1: [`Create${noun}`] },
      });
      const clone = (id: string): Promise<number> =>
        bench.post(`${path}/mine/clone`, { [kind]: id }, { token: cloning }).then(({ status }) => status);
      assert.deepEqual([await clone('new1'), await clone('new2')], [200, 403]);
      const bert = await bench.tokenOf('bert');
      assert.equal((await bench.get(path, { token: bert })).status, 403);
      assert.equal((await bench.get(`${path}/mine`, { token: bert })).status, 403);
      assert.equal((await bench.get(path, { token: null })).status, 401);
      assert.deepEqual((await bench.get(`/v1/users/bert/${kind}s`, { token: bert })).body, []);
    });
  }

  it('are listed as clients ask for them', async () => {
    const bench = await GatewayBench.start();
    const path = `${V1}/products`;
    for (let index = 0; index < 7; index++)
      await bench.post(path, { product: `p${index}`, name: `N${index % 2}` });
    const list = async (query: string): Promise<unknown[]> =>
      idsOf('product', (await bench.get(`${path}?${query}`)).body);
    assert.deepEqual(await list('count=3&index=6'), ['p6']);
    assert.deepEqual(await list('name=n1}'), ['p1', 'p3', 'p5']);
    assert.deepEqual(await list('product=p2'), ['p2']);
    assert.deepEqual(await list('sort=name&order=desc&count=1'), ['p1']);
    assert.equal((await bench.ask('PUT', `${path}/p3/projects`, { body: ['green'] })).status, 200);
    assert.deepEqual(await list('project=green'), ['p3']);
    assert.equal((await bench.ask('PUT', `${path}/p3/projects`, { body: 'green' })).status, 400);
    assert.equal((await bench.ask('PUT', `${V1}/projects/x/projects`, { body: [] })).status, 404);
  });

  it('are named by the server, with where to list them', async () => {
    const bench = await GatewayBench.start();
    const assets = (await bench.get('/v1/server/assets')).body as {
      asset: string;
      paths: { list: string };
    }[];
    for (const kind of KINDS) {
      const list = assets.find(({ asset }) => asset === kind)?.paths.list;
      const path = list?.replace(/\(\?<user>[^)]+\)/, 'anna');
      assert.equal((await bench.get(`/${path}?count=50&index=0`)).status, 200, kind);
    }
    const events = (await bench.get('/v1/server/events')).body as { event: string }[];
    const names = new Set(events.map(({ event }) => event));
    for (const kind of KINDS) assert.ok(names.has(`${kind}_create`) && names.has(`${kind}_delete`), kind);
  });

  it('have no more of products than is here', async () => {
    const bench = await GatewayBench.start();
    await bench.post(`${V1}/products`, { product: 'p' });
    for (const rest of ['firmwares', 'services', 'export']) {
      assert.equal((await bench.get(`${V1}/products/p/${rest}`)).status, 404, rest);
    }
    assert.equal((await bench.get(`${V1}/plugins`)).status, 404);
  });

  it('are bounded in their number', async () => {
    const bench = await GatewayBench.start({ limits: { requestBurst: 2000 } });
    for (let index = 0; index < 1000; index++) {
      assert.equal((await bench.post(`${V1}/groups`, { group: `g${index}` })).status, 200);
    }
    assert.equal((await bench.post(`${V1}/groups`, { group: 'more' })).status, 409);
    const device = { device: 'd', credentials: 'secret', asset_group: 'more' };
    assert.equal((await bench.post(`${V1}/devices`, device)).status, 409);
    assert.equal((await bench.get(`${V1}/devices/d`)).status, 404);
  });

  it('are there again after a restart', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const store = await openFileStore({ file });
    const bench = await GatewayBench.start({ store });
    await bench.post(`${V1}/types`, { type: 'motor', name: 'Motor', extra: [1, 'x'] });
    const before = (await bench.get(`${V1}/types`)).body;
    await bench.close();
    await store.close();
    const again = await GatewayBench.start({ store: await openFileStore({ file }) });
    assert.deepEqual((await again.get(`${V1}/types`)).body, before);
  });
});

describe('devices and their assets', () => {
  it('make types and groups that are not there yet', async () => {
    const bench = await GatewayBench.start();
    const device = { device: 'd1', credentials: 'secret', asset_type: 'motor', asset_group: 'north' };
    assert.equal((await bench.post(`${V1}/devices`, device)).status, 200);
    assert.deepEqual(idsOf('type', (await bench.get(`${V1}/types`)).body), ['motor']);
    assert.deepEqual(idsOf('group', (await bench.get(`${V1}/groups`)).body), ['north']);
    assert.equal((await bench.post(`${V1}/devices`, { ...device, device: 'd2' })).status, 200);
    await bench.ask('PUT', `${V1}/devices/d2`, { body: { asset_type: '', asset_group: 'south' } });
    assert.deepEqual(idsOf('group', (await bench.get(`${V1}/groups`)).body), ['north', 'south']);
    assert.deepEqual(idsOf('type', (await bench.get(`${V1}/types`)).body), ['motor']);
    assert.deepEqual((await bench.get(`${V1}/products`)).body, []);
    assert.equal((await bench.post(`${V1}/devices`, { ...device, asset_type: 'new' })).status, 409);
    assert.deepEqual(idsOf('type', (await bench.get(`${V1}/types`)).body), ['motor']);
  });

  it('are cloned, without their credentials', async () => {
    const bench = await GatewayBench.start();
    const device = { device: 'd1', credentials: 'secret', asset_type: 'motor', name: 'One' };
    await bench.post(`${V1}/devices`, device);
    await bench.services.properties.set({ user: 'anna', device: 'd1' }, 'limit', 5);
    assert.deepEqual((await bench.get(`${V1}/devices/d1/clone`)).body, {
      type: 'Generic',
      name: 'One',
      description: '',
      enabled: true,
      asset_type: 'motor',
      asset_group: '',
      product: '',
    });
    const clone = await bench.post(`${V1}/devices/d1/clone`, { device: 'd2', name: 'Two' });
    assert.equal(clone.status, 200);
    assert.deepEqual(
      [(clone.body as Row).device, (clone.body as Row).name, (clone.body as Row).asset_type],
      ['d2', 'Two', 'motor'],
    );
    assert.equal((await bench.services.properties.get({ user: 'anna', device: 'd2' }, 'limit'))?.value, 5);
    const { server } = bench;
    assert.equal(server.device({ user: 'anna', device: 'd2' }), undefined);
    assert.equal((await bench.post(`${V1}/devices/d1/clone`, { device: 'd2' })).status, 409);
    assert.equal((await bench.post(`${V1}/devices/d1/clone`, { device: 'pump' })).status, 409);
    assert.equal((await bench.post(`${V1}/devices/none/clone`, { device: 'd3' })).status, 404);
    assert.equal((await bench.post(`${V1}/devices/d1/clone`, { device: 'd3', extra: 1 })).status, 400);
    const token = await bench.tokenOf('anna', { Device: { d1: '*' } });
    assert.equal((await bench.post(`${V1}/devices/d1/clone`, { device: 'd3' }, { token })).status, 403);
  });
});
