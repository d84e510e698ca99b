import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { temporaryFolder } from '../../store/support/stores';
import { GatewayBench } from '../support/gateway-bench';
import { NodeRedClient, NodeRedError } from '../support/node-red-client';

const FILES = '/v1/users/anna/storages/s/files';

interface Entry {
  readonly path: string;
  readonly type: string;
}

interface Scene {
  readonly bench: GatewayBench;
  readonly client: NodeRedClient;
}

async function start(): Promise<Scene> {
  const bench = await GatewayBench.start({ filesFolder: join(temporaryFolder(), 'files') });
  await bench.post('/v1/users/anna/storages', { storage: 's', name: 'S' });
  return { bench, client: new NodeRedClient(bench) };
}

/** The list, of which the node picks what it wants by the beginning of the path. */
async function found(client: NodeRedClient, file: string): Promise<Entry[]> {
  const { status, payload } = await client.get(FILES);
  assert.match(String(status), /^20/);
  return (payload as Entry[]).filter(({ path }) => path.startsWith(file));
}

/** What the write node asks for to make a path: each folder in the one above it, then the file. */
async function makePath(client: NodeRedClient, file: string): Promise<string[]> {
  const asked: string[] = [];
  const entries = await found(client, '');
  const names = file.split('/');
  for (const [depth, name] of names.entries()) {
    const sub = names.slice(0, depth + 1).join('/');
    if (entries.some(({ path }) => path.startsWith(sub))) continue;
    const parent = names.slice(0, depth).join('/');
    const what = depth === names.length - 1 ? 'files' : 'folders';
    const path = `${FILES}${depth > 0 ? '/' : ''}${parent}`;
    await client.request('POST', path, { [what]: [name] });
    asked.push(`${path.slice(FILES.length)} ${what} ${name}`);
  }
  return asked;
}

describe('requests of the storage nodes', () => {
  it('storage-write: the list, the folders and the file that are missing, then the content', async () => {
    const { client } = await start();
    assert.deepEqual(await found(client, 'logs/2026/today.txt'), []);
    assert.deepEqual(await makePath(client, 'logs/2026/today.txt'), [
      ' folders logs',
      '/logs folders 2026',
      '/logs/2026 files today.txt',
    ]);
    assert.deepEqual(await makePath(client, 'logs/2026/more.txt'), ['/logs/2026 files more.txt']);
    assert.deepEqual(await makePath(client, 'root.txt'), [' files root.txt']);
    assert.deepEqual(
      (await found(client, 'logs/2026/today.txt')).map(({ type }) => type),
      ['file'],
    );
    await client.request('PUT', `${FILES}/logs/2026/today.txt`, 'first line\n');
    assert.equal((await client.get(`${FILES}/logs/2026/today.txt`)).payload, 'first line\n');
  });

  it('storage-write: its list knows a folder by a longer name, and the file is made all the same', async () => {
    const { client } = await start();
    await client.request('POST', FILES, { folders: ['logs2'] });
    assert.deepEqual(await makePath(client, 'logs/x.txt'), ['/logs files x.txt']);
    assert.equal((await found(client, 'logs/x.txt')).length, 1);
  });

  it('storage-write: appends to what it reads, as text and as bytes', async () => {
    const { client } = await start();
    const append = async (file: string, more: string | Buffer): Promise<void> => {
      const { payload } = await client.get(`${FILES}/${file}`);
      const content = Buffer.isBuffer(payload) ? payload : Buffer.from(String(payload));
      const whole = Buffer.concat([content, Buffer.from(more)]);
      await client.request('PUT', `${FILES}/${file}`, Buffer.isBuffer(more) ? whole : whole.toString());
    };
    await client.request('POST', FILES, { files: ['a.txt', 'b.bin', 'c.csv'] });
    assert.equal((await client.get(`${FILES}/a.txt`)).payload, '');
    for (const line of ['1\n', 'zwei ü\n', '{"a":']) await append('a.txt', line);
    assert.equal((await client.get(`${FILES}/a.txt`)).payload, '1\nzwei ü\n{"a":');
    for (const bytes of [Buffer.from([0, 255]), Buffer.from([128])]) await append('b.bin', bytes);
    assert.deepEqual((await client.get(`${FILES}/b.bin`)).payload, Buffer.from([0, 255, 128]));
    await append('c.csv', 'ts;n\n');
    assert.equal((await client.get(`${FILES}/c.csv`)).payload, 'ts;n\n');
  });

  it('storage-write: overwrites with objects, texts and bytes, and deletes', async () => {
    const { client } = await start();
    assert.equal((await client.request('PUT', `${FILES}/x.json`, { a: [1] })).status, 200);
    assert.deepEqual((await client.get(`${FILES}/x.json`)).payload, { a: [1] });
    const image = Buffer.from([137, 80, 78, 71]);
    await client.request('PUT', `${FILES}/p.png`, image);
    assert.equal((await client.get(`${FILES}/p.png`)).payload, image.toString('base64'));
    await client.request('PUT', `${FILES}/p.png`, '');
    assert.equal((await client.request('DELETE', `${FILES}/x.json`)).status, 200);
    assert.equal((await client.get(`${FILES}/x.json`)).status, 404);
    assert.equal((await client.request('DELETE', `${FILES}/x.json`)).status, 404);
  });

  it('storage-read: what is below a path, by depth, and the content of each file', async () => {
    const { client } = await start();
    for (const path of ['a/1.txt', 'a/b/2.txt', 'a/b/c/3.txt', 'z.txt']) {
      await client.request('PUT', `${FILES}/${path}`, path);
    }
    const depth = ({ path }: Entry): number => path.split('/').length - 1;
    const flat = (await found(client, 'a/')).filter((entry) => depth(entry) <= 1);
    assert.deepEqual(
      flat.map(({ path, type }) => [path, type]),
      [
        ['a/1.txt', 'file'],
        ['a/b', 'directory'],
      ],
    );
    const all = (await found(client, 'a/')).filter(({ type }) => type === 'file');
    for (const { path } of all) assert.equal((await client.get(`${FILES}/${path}`)).payload, path);
    assert.equal(all.length, 3);
  });

  it('tell of a storage that is not there as the nodes expect', async () => {
    const { bench, client } = await start();
    const none = FILES.replace('/s/', '/none/');
    assert.deepEqual(await client.get(none), { status: 404, error: 'not found' });
    client.token = await bench.tokenOf('anna', { Storage: { other: '*' } });
    await assert.rejects(client.get(FILES), (error) => error instanceof NodeRedError && error.status === 403);
  });

  it('editor: storages by name and project, with a brace too much, and their files', async () => {
    const { client } = await start();
    for (const query of ['?project=&name=', '?name=s}', '?project=&name=S']) {
      const { payload } = await client.get(`/v1/users/anna/storages${query}`);
      assert.deepEqual(
        (payload as { storage: string; name: string }[]).map(({ storage, name }) => [storage, name]),
        [['s', 'S']],
      );
    }
    await client.request('POST', FILES, { folders: ['d'], files: ['f'] });
    const { payload } = await client.get(`${FILES}?`);
    assert.deepEqual(
      (payload as Entry[]).map(({ path, type }) => [path, type]),
      [
        ['d', 'directory'],
        ['f', 'file'],
      ],
    );
  });
});

describe('requests of the property nodes and the iterator for other assets', () => {
  for (const asset of ['type', 'group', 'product', 'project']) {
    it(`property-write and property-read of a ${asset}: the list, then POST, then PUT`, async () => {
      const { client } = await start();
      await client.request('POST', `/v1/users/anna/${asset}s`, { [asset]: 'a', name: 'A' });
      const path = `/v1/users/anna/${asset}s/a/properties`;
      assert.deepEqual((await client.get(path)).payload, []);
      await client.request('POST', path, { property: 'limit', value: { max: 5 } });
      const [row] = (await client.get(path)).payload as { property: string }[];
      assert.equal(row?.property, 'limit');
      await client.request('PUT', `${path}/limit`, { value: { max: 6 } });
      const { payload } = await client.get(`${path}/limit`);
      assert.deepEqual((payload as { value: unknown }).value, { max: 6 });
    });
  }

  it('property-write on a device overrides what it inherits', async () => {
    const { client } = await start();
    const device = { device: 'd', credentials: 'secret', asset_type: 'motor' };
    await client.request('POST', '/v1/users/anna/devices', device);
    await client.request('POST', '/v1/users/anna/types/motor/properties', { property: 'limit', value: 5 });
    const path = '/v3/users/anna/devices/d/properties';
    const [row] = (await client.get(path)).payload as { property: string; value: number }[];
    assert.deepEqual([row?.property, row?.value], ['limit', 5]);
    assert.equal((await client.request('PUT', `${path}/limit`, { value: 6 })).status, 200);
    const { payload } = await client.get(`${path}/limit`);
    assert.equal((payload as { value: number }).value, 6);
  });

  it('asset-iterator: every kind of asset that the server names, in pages', async () => {
    const { bench, client } = await start();
    const assets = (await client.get('/v1/server/assets')).payload as {
      asset: string;
      role: string;
      paths: { list: string };
    }[];
    for (const { asset, paths } of assets.filter(({ role }) => role === 'user')) {
      const path = paths.list.replace(/\(\?<user>[^)]+\)/, 'anna');
      if (['type', 'group', 'product', 'project', 'storage'].includes(asset)) {
        for (let index = 0; index < 52; index++) await bench.post(`/${path}`, { [asset]: `x${index}` });
      }
      const seen: unknown[] = [];
      for (;;) {
        const { payload } = await client.get(`/${path}?count=50&index=${seen.length}`);
        const page = payload as Record<string, unknown>[];
        seen.push(...page.map((row) => row[asset]));
        if (page.length < 50) break;
      }
      assert.equal(new Set(seen).size, seen.length, asset);
      assert.ok(seen.every((id) => typeof id === 'string'));
    }
  });
});
