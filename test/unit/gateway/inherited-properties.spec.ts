import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores } from '../store/support/stores';
import { ask, DIALECTS, gist } from '../services/support';
import { GatewayBench } from './support/gateway-bench';

const V1 = '/v1/users/anna';
const DEVICE = '/v3/users/anna/devices/d/properties';

type Row = Record<string, unknown>;

/** A device with a product, a type and a group. */
async function withAssets(bench: GatewayBench): Promise<void> {
  await bench.post(`${V1}/products`, { product: 'same' });
  const assets = { product: 'same', asset_type: 'same', asset_group: 'same' };
  assert.equal(
    (await bench.post(`${V1}/devices`, { device: 'd', credentials: 'secret', ...assets })).status,
    200,
  );
}

/** The properties of the device: values, and where they come from. */
async function seen(bench: GatewayBench): Promise<unknown[]> {
  const rows = (await bench.get(DEVICE)).body as (Row & { inherited?: { asset: string } })[];
  for (const row of rows) {
    assert.deepEqual((await bench.get(`${DEVICE}/${String(row.property)}`)).body, row);
  }
  return rows.map(({ property, value, inherited }) => [property, value, inherited?.asset]);
}

describeStores('properties of assets over the API', (open) => {
  for (const kind of ['type', 'group', 'product', 'project']) {
    it(`are set, read, changed, cloned and deleted for a ${kind}`, async () => {
      const bench = await GatewayBench.start({ store: await open() });
      const path = `${V1}/${kind}s/a/properties`;
      assert.equal((await bench.get(path)).status, 404);
      assert.equal((await bench.post(path, { property: 'p', value: 1 })).status, 404);
      await bench.post(`${V1}/${kind}s`, { [kind]: 'a' });
      assert.deepEqual((await bench.get(path)).body, []);
      assert.equal(
        (await bench.post(path, { property: 'p', value: { x: 1 }, description: 'D' })).status,
        200,
      );
      assert.equal((await bench.ask('PATCH', `${path}/p`, { body: { y: 2 } })).status, 200);
      assert.equal((await bench.ask('PUT', `${path}/q`, { body: { value: 5 } })).status, 200);
      const { property, value, description, inherited } = (await bench.get(`${path}/p`)).body as Row;
      assert.deepEqual([property, value, description, inherited], ['p', { x: 1, y: 2 }, 'D', undefined]);
      assert.deepEqual((await bench.get(`${path}/p/clone`)).body, {
        value: { x: 1, y: 2 },
        description: 'D',
      });
      const clone = await bench.post(`${path}/p/clone`, { property: 'r', name: 'R' });
      assert.deepEqual(
        [(clone.body as Row).value, (clone.body as Row).description, (clone.body as Row).name],
        [{ x: 1, y: 2 }, 'D', 'R'],
      );
      assert.equal((await bench.post(`${path}/p/clone`, { property: 'r' })).status, 409);
      assert.equal((await bench.post(`${path}/none/clone`, { property: 's' })).status, 404);
      assert.equal((await bench.ask('DELETE', `${path}/q`)).status, 200);
      assert.deepEqual(
        ((await bench.get(path)).body as Row[]).map((row) => row.property),
        ['p', 'r'],
      );
      await bench.ask('DELETE', `${V1}/${kind}s/a`);
      assert.equal((await bench.get(path)).status, 404);
      await bench.post(`${V1}/${kind}s`, { [kind]: 'a' });
      assert.deepEqual((await bench.get(path)).body, [], 'deleted with what had them');
      const noun = kind.charAt(0).toUpperCase() + kind.slice(1);
      const token = await bench.tokenOf('anna', { [noun]: { a: [`List${noun}Properties`] } });
      assert.equal((await bench.get(path, { token })).status, 200);
      assert.equal((await bench.post(path, { property: 'p', value: 1 }, { token })).status, 403);
      assert.equal((await bench.get(path, { token: await bench.tokenOf('bert') })).status, 403);
    });
  }

  it('are inherited: those of the product, over them the type, over them the group, over all its own', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await withAssets(bench);
    assert.deepEqual(await seen(bench), []);
    const levels = { product: `${V1}/products/same`, type: `${V1}/types/same`, group: `${V1}/groups/same` };
    for (const [index, [asset, path]] of Object.entries(levels).entries()) {
      for (const property of Object.keys(levels).slice(index)) {
        await bench.post(`${path}/properties`, { property, value: asset });
      }
    }
    assert.deepEqual(await seen(bench), [
      ['group', 'group', 'group'],
      ['product', 'product', 'product'],
      ['type', 'type', 'type'],
    ]);
    await bench.ask('PUT', `${DEVICE}/type`, { body: { value: 'own' } });
    await bench.post(DEVICE, { property: 'zero', value: 0 });
    assert.deepEqual(await seen(bench), [
      ['group', 'group', 'group'],
      ['product', 'product', 'product'],
      ['type', 'own', undefined],
      ['zero', 0, undefined],
    ]);
    assert.equal((await bench.ask('DELETE', `${DEVICE}/type`)).status, 200);
    assert.equal((await bench.ask('DELETE', `${DEVICE}/group`)).status, 404, 'only what is its own');
    await bench.ask('PUT', `${V1}/devices/d`, { body: { asset_group: '' } });
    assert.deepEqual(await seen(bench), [
      ['group', 'type', 'type'],
      ['product', 'product', 'product'],
      ['type', 'type', 'type'],
      ['zero', 0, undefined],
    ]);
    await bench.ask('DELETE', `${V1}/types/same`);
    assert.deepEqual(await seen(bench), [
      ['group', 'product', 'product'],
      ['product', 'product', 'product'],
      ['type', 'product', 'product'],
      ['zero', 0, undefined],
    ]);
  });

  it('that were read are written back as own ones, without where they came from', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await withAssets(bench);
    await bench.post(`${V1}/types/same/properties`, { property: 'p', value: 1, description: 'D' });
    const read = (await bench.get(`${DEVICE}/p`)).body as Row;
    assert.deepEqual(read.inherited, { asset: 'type', id: 'same' });
    const written = (await bench.ask('PUT', `${DEVICE}/p`, { body: { ...read, value: 2 } })).body as Row;
    assert.deepEqual([written.value, written.description, written.inherited], [2, 'D', undefined]);
    assert.equal(((await bench.get(`${V1}/types/same/properties/p`)).body as Row).value, 1);
  });

  it('are paged and filtered together with own ones', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await withAssets(bench);
    for (const property of ['a1', 'c1'])
      await bench.post(`${V1}/types/same/properties`, { property, value: 1 });
    for (const property of ['b1', 'd2']) await bench.post(DEVICE, { property, value: 1 });
    const list = async (query: string): Promise<unknown[]> =>
      ((await bench.get(`${DEVICE}?${query}`)).body as Row[]).map(({ property }) => property);
    assert.deepEqual(await list('count=2&index=1'), ['b1', 'c1']);
    assert.deepEqual(await list('name=1'), ['a1', 'b1', 'c1']);
  });

  it('are nothing that a device is told of', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await bench.post(`${V1}/devices`, { device: 'd', credentials: 'secret', asset_type: 'same' });
    await bench.post(`${V1}/types/same/properties`, { property: 'p', value: 1 });
    const device = await bench.device({}, { device: 'd' });
    for (const dialect of DIALECTS) {
      assert.deepEqual(gist(await ask(device, dialect, 1, 'p')), ['ERROR', 404, undefined]);
    }
  });
});
