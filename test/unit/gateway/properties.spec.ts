import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores } from '../store/support/stores';
import { errorOf, GatewayBench } from './support/gateway-bench';

const V3 = '/v3/users/anna/devices/pump/properties';
const V1 = '/v1/users/anna/properties';

/** A document without its times. */
function bare(body: unknown): Record<string, unknown> {
  const { created, modified, ...rest } = body as Record<string, unknown>;
  assert.equal(typeof created, 'number');
  assert.equal(typeof modified, 'number');
  return rest;
}

describeStores('properties over the API', (open) => {
  for (const [owner, path] of Object.entries({ device: V3, user: V1 })) {
    it(`are made, listed, read, changed and deleted: those of a ${owner}`, async () => {
      const bench = await GatewayBench.start({ store: await open() });
      assert.deepEqual((await bench.get(path)).body, []);
      const made = await bench.post(path, { property: 'limit', value: { a: 1, b: [2] }, description: 'top' });
      assert.equal(made.status, 200);
      const limit = { property: 'limit', value: { a: 1, b: [2] }, description: 'top' };
      assert.deepEqual(bare(made.body), limit);
      assert.deepEqual(bare((await bench.get(`${path}/limit`)).body), limit);
      const put = await bench.ask('PUT', `${path}/limit`, { body: { value: 5 } });
      assert.deepEqual(bare(put.body), { ...limit, value: 5 }, 'what else is known of it stays');
      assert.equal((await bench.ask('PUT', `${path}/fresh`, { body: { value: null } })).status, 200);
      const list = (await bench.get(path)).body as { property: string }[];
      assert.deepEqual(
        list.map(({ property }) => property),
        ['fresh', 'limit'],
      );
      const deleted = await bench.ask('DELETE', `${path}/fresh`);
      assert.deepEqual([deleted.status, deleted.headers['content-length']], [200, '0']);
      assert.equal((await bench.get(`${path}/fresh`)).status, 404);
      assert.equal((await bench.ask('DELETE', `${path}/fresh`)).status, 404);
    });
  }

  it('are merged by PATCH, with the body or its member value', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await bench.post(V3, { property: 'p', value: { a: 1, b: { c: 2 } } });
    const patch = (body: unknown) => bench.ask('PATCH', `${V3}/p`, { body });
    assert.deepEqual(bare((await patch({ b: { d: 3 } })).body).value, { a: 1, b: { c: 2, d: 3 } });
    assert.deepEqual(bare((await patch({ value: { a: null } })).body).value, { b: { c: 2, d: 3 } });
    assert.equal((await bench.ask('PATCH', `${V3}/none`, { body: { a: 1 } })).status, 404);
  });

  it('are set several at once, and told as events', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const told: unknown[] = [];
    bench.server.events.listen(({ event, property, value }) => told.push([event, property, value]));
    const body = [
      { property: 'a', value: 1 },
      { property: 'b', value: true },
    ];
    assert.equal((await bench.post(V3, body)).status, 200);
    assert.deepEqual(told, [
      ['device_property_update', 'a', 1],
      ['device_property_update', 'b', true],
    ]);
  });

  it('are refused when they are not what they should be', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    for (const body of [{}, [], 5, 'x', { property: 'p' }, { value: 1 }, { property: '', value: 1 }]) {
      const { status } = await bench.post(V3, body);
      assert.equal(status, Array.isArray(body) ? 200 : 400, JSON.stringify(body));
    }
    assert.equal((await bench.post(V3, { property: 'a b', value: 1 })).status, 400);
    assert.equal((await bench.ask('PUT', `${V3}/p`, { raw: '{' })).status, 400);
    assert.equal((await bench.ask('PUT', `${V3}/p`, { body: { value: 'x'.repeat(70_000) } })).status, 413);
    const unknown = await bench.post('/v3/users/anna/devices/none/properties', { property: 'p', value: 1 });
    assert.deepEqual([unknown.status, errorOf(unknown)], [404, 'there is no device none']);
  });

  it('need a token that allows them', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const token = await bench.tokenOf('anna', { Device: { pump: ['ReadDeviceProperty'] } });
    await bench.post(V3, { property: 'p', value: 1 });
    assert.equal((await bench.get(`${V3}/p`, { token })).status, 200);
    assert.equal((await bench.get(V3, { token })).status, 403);
    assert.equal((await bench.ask('PUT', `${V3}/p`, { token, body: { value: 2 } })).status, 403);
    const other = await bench.tokenOf('bert');
    assert.equal((await bench.get(`${V3}/p`, { token: other })).status, 403);
  });
});
