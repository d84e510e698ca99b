import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { GatewayOptions } from '../../../src/gateway/gateway-options';
import { openFileStore, temporaryFolder } from '../store/support/stores';
import { errorOf, GatewayBench, type Answer, type Ask } from './support/gateway-bench';

const STORAGES = '/v1/users/anna/storages';
const FILES = `${STORAGES}/s/files`;
const V2 = FILES.replace('v1', 'v2');

type Row = Record<string, unknown>;
type Start = (options?: Partial<GatewayOptions>) => Promise<GatewayBench>;

/** A gateway with the storage `s` of anna. */
async function withStorage(options: Partial<GatewayOptions>): Promise<GatewayBench> {
  const bench = await GatewayBench.start(options);
  assert.equal((await bench.post(STORAGES, { storage: 's', name: 'S' })).status, 200);
  return bench;
}

function describeStorages(title: string, tests: (start: Start) => void): void {
  describe(`${title} (temporary)`, () => tests((options = {}) => withStorage(options)));
  describe(`${title} (kept)`, () =>
    tests((options) => withStorage({ filesFolder: join(temporaryFolder(), 'files'), ...options })));
}

function put(bench: GatewayBench, path: string, raw: string | Buffer, ask: Ask = {}): Promise<Answer> {
  return bench.ask('PUT', `${FILES}/${path}`, { raw, ...ask });
}

async function listed(bench: GatewayBench, path: string): Promise<unknown[]> {
  const { status, body } = await bench.get(path);
  assert.equal(status, 200);
  return (body as Row[]).map((row) => `${String(row.path)}${row.type === 'directory' ? '/' : ''}`);
}

describeStorages('files over the API', (start) => {
  it('are listed flat and with all folders, as they are', async () => {
    const bench = await start();
    assert.deepEqual((await bench.get(FILES)).body, []);
    assert.equal((await put(bench, 'a/b/c.txt', 'hello')).status, 200);
    assert.equal((await put(bench, 'd.bin', Buffer.from([0, 255]))).status, 200);
    const rows = (await bench.get(FILES)).body as Row[];
    assert.deepEqual(
      rows.map(({ modified, ...row }) => {
        assert.equal(typeof modified, 'number');
        return row;
      }),
      [
        { name: 'a', path: 'a', type: 'directory', size: 0 },
        { name: 'b', path: 'a/b', type: 'directory', size: 0 },
        { name: 'c.txt', path: 'a/b/c.txt', type: 'file', size: 5 },
        { name: 'd.bin', path: 'd.bin', type: 'file', size: 2 },
      ],
    );
  });

  it('are written whatever their type is said to be, and read as what their names say', async () => {
    const bench = await start();
    const json = { 'Content-Type': 'application/json; charset=utf-8' };
    const bytes = { 'Content-Type': 'application/octec-stream;' };
    assert.equal((await put(bench, 'no.json', 'no { json', { headers: json })).status, 200);
    assert.equal((await put(bench, 'x.txt', 'text', { headers: json })).status, 200);
    assert.equal((await put(bench, 'x', Buffer.from([0, 128, 255]), { headers: bytes })).status, 200);
    assert.equal(
      (await put(bench, 'x.json', '{"a":1}', { headers: { 'Content-Type': 'weird' } })).status,
      200,
    );
    assert.equal((await put(bench, 'empty.json', '')).status, 200);
    assert.equal((await put(bench, 'x.PNG', 'x')).status, 200);
    const text = await bench.get(`${FILES}/x.txt`);
    assert.deepEqual([text.type, text.bytes.toString()], ['text/plain; charset=utf-8', 'text']);
    const raw = await bench.get(`${FILES}/x`);
    assert.deepEqual([raw.type, raw.bytes], ['application/octet-stream', Buffer.from([0, 128, 255])]);
    assert.deepEqual((await bench.get(`${FILES}/x.json`)).body, { a: 1 });
    assert.equal((await bench.get(`${FILES}/x.PNG`)).type, 'image/png');
    const empty = await bench.get(`${FILES}/empty.json`);
    assert.deepEqual([empty.status, empty.type, empty.headers['content-length']], [200, undefined, '0']);
    const head = await bench.ask('HEAD', `${FILES}/x.txt`);
    assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '4', 0]);
  });

  it('that are pages can do nothing in the name of this server', async () => {
    const bench = await start();
    await put(bench, 'x.html', '<script>alert(1)</script>');
    const { headers } = await bench.get(`${FILES}/x.html`);
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*sandbox$/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
  });

  it('are made empty, with folders; what is there stays', async () => {
    const bench = await start();
    assert.equal((await bench.post(FILES, { folders: ['a', 'b/c'] })).status, 200);
    const { status, body } = await bench.post(`${FILES}/a`, { files: ['x', 'y'] });
    assert.deepEqual([status, (body as Row[]).map(({ path }) => path)], [200, ['a/x', 'a/y']]);
    await put(bench, 'a/x', 'full');
    assert.equal((await bench.post(`${FILES}/a/`, { files: ['x'], folders: ['z'] })).status, 200);
    assert.equal((await bench.get(`${FILES}/a/x`)).bytes.toString(), 'full');
    assert.equal((await bench.post(`${FILES}/a?overwrite=false`, { files: ['x'] })).status, 409);
    assert.equal((await bench.post(`${FILES}?overwrite=false`, { folders: ['a'] })).status, 409);
    assert.equal((await bench.post(FILES, { files: ['a'] })).status, 409);
    assert.equal((await bench.post(FILES, { folders: ['a/x'] })).status, 409);
    assert.equal((await bench.ask('PUT', `${FILES}/e/`, {})).status, 200);
    assert.deepEqual(await listed(bench, FILES), ['a/', 'a/x', 'a/y', 'a/z/', 'b/', 'b/c/', 'e/']);
    for (const bad of [
      {},
      [],
      'x',
      { files: 'x' },
      { files: [1] },
      { more: ['x'] },
      { files: [], folders: [] },
    ]) {
      assert.equal((await bench.post(FILES, bad)).status, 400, JSON.stringify(bad));
    }
    for (const name of ['', '..', '../x', '/x', 'a/../../x', 'a\\b', 'a\0', 'x'.repeat(256)]) {
      assert.equal((await bench.post(FILES, { files: [name] })).status, 400, JSON.stringify(name));
      assert.equal((await bench.post(FILES, { folders: [name] })).status, 400, JSON.stringify(name));
    }
    assert.equal((await bench.post(FILES, { files: Array.from({ length: 101 }, String) })).status, 400);
  });

  it('are renamed and moved, over others only where that is wanted', async () => {
    const bench = await start();
    await put(bench, 'a/x', '1');
    await put(bench, 'y', '22');
    const rename = (path: string, body: unknown): Promise<Answer> =>
      bench.ask('PATCH', `${FILES}/${path}`, { body });
    const renamed = await rename('a/x', { name: 'z' });
    assert.deepEqual([renamed.status, (renamed.body as Row).path], [200, 'a/z']);
    assert.equal((await rename('a/z', { path: '/b/c/z' })).status, 200);
    assert.equal((await rename('b', { name: 'd' })).status, 200);
    assert.deepEqual(await listed(bench, FILES), ['a/', 'd/', 'd/c/', 'd/c/z', 'y']);
    const taken = await rename('y', { path: 'd/c/z' });
    assert.deepEqual([taken.status, errorOf(taken)], [409, 'd/c/z is already there']);
    assert.equal((await rename('y', { path: 'd/c/z', overwrite: true })).status, 200);
    assert.equal((await bench.get(`${FILES}/d/c/z`)).bytes.toString(), '22');
    assert.equal((await rename('y', { path: 'q' })).status, 404);
    assert.equal((await rename('d', { path: 'd/e' })).status, 409);
    for (const body of [
      undefined,
      {},
      { name: 'a', path: 'b' },
      { name: 'a/b' },
      { path: '../x' },
      { path: '' },
      { path: '/' },
      { name: '..' },
      { name: 'a\\b' },
    ]) {
      assert.equal((await rename('d', body)).status, 400, JSON.stringify(body));
    }
  });

  it('are deleted, folders that are not empty only where that is wanted', async () => {
    const bench = await start();
    await put(bench, 'a/b/c', '1');
    assert.equal((await bench.ask('DELETE', `${FILES}/a`)).status, 409);
    assert.equal((await bench.ask('DELETE', `${FILES}/a/b/c`)).status, 200);
    assert.equal((await bench.get(`${FILES}/a/b/c`)).status, 404);
    assert.equal((await bench.ask('DELETE', `${FILES}/a/b/c`)).status, 404);
    assert.equal((await bench.ask('DELETE', `${FILES}/a?recursive=true`)).status, 200);
    assert.deepEqual((await bench.get(FILES)).body, []);
    assert.equal((await bench.ask('DELETE', FILES)).status, 405);
    assert.equal((await bench.ask('DELETE', `${FILES}/?recursive=true`)).status, 400);
  });

  it('of version 2 are listed one folder at a time, without hidden ones, unless wanted', async () => {
    const bench = await start();
    for (const path of ['a/b', 'a/.c', '.d/e', 'f']) await put(bench, path, '1');
    assert.deepEqual(await listed(bench, V2), ['a/', 'f']);
    assert.deepEqual(await listed(bench, `${V2}/`), ['a/', 'f']);
    assert.deepEqual(await listed(bench, `${V2}?recursive`), ['a/', 'a/b', 'f']);
    assert.deepEqual(await listed(bench, `${V2}?hidden=true`), ['.d/', 'a/', 'f']);
    assert.deepEqual(await listed(bench, `${V2}?hidden=1&recursive=1`), [
      '.d/',
      '.d/e',
      'a/',
      'a/.c',
      'a/b',
      'f',
    ]);
    assert.deepEqual(await listed(bench, `${V2}/a/`), ['a/b']);
    assert.deepEqual(await listed(bench, `${V2}/.d`), ['.d/e']);
    assert.deepEqual(await listed(bench, `${FILES}?hidden=false&recursive=0`), ['a/', 'f']);
    const info = await bench.get(`${V2}/a/b?info=true`);
    assert.deepEqual([(info.body as Row).name, (info.body as Row).size], ['b', 1]);
    assert.equal(((await bench.get(`${V2}/a?info`)).body as Row).type, 'directory');
    assert.equal((await bench.get(`${V2}/none?info`)).status, 404);
    assert.equal((await bench.get(`${V2}?recursive=yes`)).status, 400);
    const kept = await bench.ask('PUT', `${V2}/f?overwrite=false`, { raw: '2' });
    assert.deepEqual([kept.status, errorOf(kept)], [409, 'f is already there']);
    assert.equal((await bench.get(`${V2}/f`)).bytes.toString(), '1');
    assert.equal((await bench.ask('PUT', `${V2}/g?overwrite=false`, { raw: '2' })).status, 200);
    assert.equal((await bench.ask('PUT', `${V2}/f?overwrite=true`, { raw: '2' })).status, 200);
  });

  it('are never reached by tricks with a path', async () => {
    const bench = await start();
    await put(bench, 'real', '1');
    await bench.post('/v1/users/bert/storages', { storage: 's' }, { token: await bench.tokenOf('bert') });
    const tricks = [
      '..',
      '../real',
      '../../s/files/real',
      'a/../real',
      './real',
      '%2e%2e',
      '%2e%2e%2freal',
      '..%2freal',
      'a/%2E%2E/real',
      'a%2f..%2f..%2freal',
      '%00',
      'real%00',
      'real%00.txt',
      '%5c',
      '..%5c..%5creal',
      '\\',
      '..\\real',
      'C:%5creal',
      '%2freal',
      '/real',
      '%2fetc%2fpasswd',
      'a%2f%2fb',
      'real%0a',
      '%ff',
      '%zz',
      '%ed%a0%80',
      'x'.repeat(256),
      'a/'.repeat(40) + 'b',
      'a/'.repeat(520),
    ];
    for (const trick of tricks) {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'POST']) {
        const body = { PATCH: { name: 'n' }, POST: { files: ['n'] } }[method];
        const ask = method === 'PUT' ? { raw: 'x' } : body === undefined ? {} : { body };
        const { status } = await bench.ask(method, `${FILES}/${trick}`, ask);
        assert.ok(status === 400 || status === 404, `${method} ${trick.slice(0, 40)}: ${status}`);
      }
    }
    assert.equal((await put(bench, 'x'.repeat(9000), '1')).status, 414);
    assert.deepEqual(await listed(bench, FILES), ['real']);
    assert.equal((await put(bench, '%252e%252e', '1')).status, 200);
    assert.deepEqual(await listed(bench, FILES), ['%2e%2e', 'real'], 'decoded once');
    assert.equal((await bench.get(`${FILES}/%252e%252e`)).bytes.toString(), '1');
  });

  it('are only for those who may', async () => {
    const bench = await start();
    await bench.post(STORAGES, { storage: 'other' });
    await put(bench, 'a', '1');
    const token = await bench.tokenOf('anna', { Storage: { s: ['ListStorageFiles', 'Read*'] } });
    const status = async (method: string, path: string, ask: Ask = {}): Promise<number> =>
      (await bench.ask(method, path, { token, ...ask })).status;
    assert.equal(await status('GET', FILES), 200);
    assert.equal(await status('GET', `${FILES}/a`), 200);
    assert.equal(await status('PUT', `${FILES}/a`, { raw: '2' }), 403);
    assert.equal(await status('POST', FILES, { body: { files: ['b'] } }), 403);
    assert.equal(await status('PATCH', `${FILES}/a`, { body: { name: 'b' } }), 403);
    assert.equal(await status('DELETE', `${FILES}/a`), 403);
    assert.equal(await status('GET', `${STORAGES}/other/files`), 403);
    const bert = await bench.tokenOf('bert');
    assert.equal(await status('GET', `${FILES}/a`, { token: bert }), 403);
    assert.equal(await status('PUT', `${FILES}/a`, { token: bert, raw: '2' }), 403);
    assert.equal(await status('GET', '/v1/users/bert/storages/s/files', { token: bert }), 404);
    assert.equal(await status('GET', `${FILES}/a`, { token: null }), 401);
    assert.equal((await bench.get(`${FILES}/a?authorization=${bench.token}`, { token: null })).status, 200);
    assert.equal((await bench.get(`${FILES}/a`)).bytes.toString(), '1');
  });

  it('are there only where their storage is, and go with it', async () => {
    const bench = await start();
    await put(bench, 'a/b', '1');
    for (const path of [`${STORAGES}/none/files`, `${STORAGES}/%2e%2e/files`, `${STORAGES}/a%2Fb/files`]) {
      for (const method of ['GET', 'POST']) {
        const ask = method === 'POST' ? { body: { files: ['x'] } } : {};
        const { status } = await bench.ask(method, path, ask);
        assert.ok(status === 404 || status === 400, `${method} ${path}: ${status}`);
      }
    }
    assert.equal((await bench.ask('PUT', `${STORAGES}/none/files/x`, { raw: '1' })).status, 404);
    assert.equal((await bench.ask('DELETE', `${STORAGES}/s`)).status, 200);
    assert.equal((await bench.get(`${FILES}/a/b`)).status, 404);
    await bench.post(STORAGES, { storage: 's' });
    assert.deepEqual((await bench.get(FILES)).body, []);
  });

  it('are bounded, whether they say their size or not', async () => {
    const limits = { fileBytes: 2000, storageBytes: 3000, storageEntries: 4, maxBodyBytes: 100 };
    const bench = await start({ limits });
    assert.equal((await put(bench, 'a', 'x'.repeat(2000))).status, 200, 'more than other bodies');
    const said = await put(bench, 'a', 'x'.repeat(2001));
    assert.equal(said.status, 413);
    const socket = net.connect(bench.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `PUT ${FILES}/b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    socket.write(`bb8\r\n${'x'.repeat(3000)}\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
    socket.destroy();
    const full = await put(bench, 'b', 'x'.repeat(1001));
    assert.deepEqual([full.status, (full.body as { error: Row }).error.code], [507, 'IOTMP_ERR_QUOTA']);
    assert.equal((await bench.post(FILES, { files: ['1', '2', '3', '4'] })).status, 507);
    assert.deepEqual(await listed(bench, FILES), ['1', '2', '3', 'a']);
    assert.equal((await bench.get(`${FILES}/a`)).bytes.length, 2000);
  });

  it('that are larger than any buffer come through in both directions', async () => {
    const bench = await start();
    const large = Buffer.alloc(5_000_000, 'abcdefg');
    assert.equal((await put(bench, 'large', large)).status, 200);
    const answer = await bench.get(`${FILES}/large`);
    assert.equal(answer.bytes.compare(large), 0);
    const socket = net.connect(bench.port, '127.0.0.1');
    socket.write(`GET ${FILES}/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
    assert.equal((await bench.get(`${FILES}/large?info`)).status, 200);
  });

  it('whose client goes away halfway are as they were', async () => {
    const bench = await start();
    await put(bench, 'a', 'old');
    const socket = net.connect(bench.port, '127.0.0.1');
    socket.write(
      `PUT ${FILES}/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\nContent-Length: 100\r\n\r\nnew`,
    );
    await once(socket, 'connect');
    socket.end();
    await bench.until(() => /requests_total\{method="PUT",status="\d+"\} 2/.test(bench.metric('')));
    assert.equal((await bench.get(`${FILES}/a`)).bytes.toString(), 'old');
    assert.deepEqual(await listed(bench, FILES), ['a']);
  });
});

describe('storages', () => {
  it('keep what they are told, and take nothing else for it', async () => {
    const bench = await withStorage({});
    const settings = { name: 'New', description: 'D', public: false, index: 'index.html', asset_type: 't' };
    const answer = await bench.ask('PUT', `${STORAGES}/s`, { body: settings });
    assert.equal(answer.status, 200);
    const { created: _c, modified: _m, ...row } = answer.body as Row;
    assert.deepEqual(row, { storage: 's', user: 'anna', enabled: true, project: [], ...settings });
    const open = await bench.ask('PUT', `${STORAGES}/s`, { body: { public: true } });
    assert.equal(open.status, 501, 'files are not served without a token');
    for (const bad of [{ public: 'yes' }, { index: 5 }, { asset_type: 'a b' }]) {
      assert.equal((await bench.ask('PUT', `${STORAGES}/s`, { body: bad })).status, 400);
    }
    assert.deepEqual(
      ((await bench.get(`${STORAGES}?asset_type=t`)).body as Row[]).map(({ storage }) => storage),
      ['s'],
    );
  });

  it('go with their user', async () => {
    const filesFolder = join(temporaryFolder(), 'files');
    const bench = await withStorage({ filesFolder });
    await put(bench, 'a', '1');
    await bench.post('/v1/users/anna/types', { type: 'motor' });
    await bench.post('/v1/users/anna/types/motor/properties', { property: 'p', value: 1 });
    const token = await bench.tokenOf('root');
    assert.equal((await bench.ask('DELETE', '/v1/users/anna', { token })).status, 200);
    assert.deepEqual((await bench.get(STORAGES, { token })).body, []);
    assert.deepEqual((await bench.get('/v1/users/anna/types', { token })).body, []);
    assert.deepEqual(readdirSync(join(filesFolder, 'anna')), []);
    const owner = { user: 'anna', asset: { kind: 'type', id: 'motor' } };
    assert.equal(await bench.services.properties.get(owner, 'p'), undefined);
  });

  it('are on the disk when they are told to be, and there again after a restart', async () => {
    const folder = temporaryFolder();
    const filesFolder = join(folder, 'files');
    const file = join(folder, 'store.db');
    const store = await openFileStore({ file });
    const bench = await withStorage({ store, filesFolder });
    assert.ok(!existsSync(filesFolder), 'nothing is made before there is a file');
    assert.equal((await put(bench, 'a/b.txt', 'hello')).status, 200);
    assert.equal(readFileSync(join(filesFolder, 'anna', 's', 'a', 'b.txt'), 'utf8'), 'hello');
    await bench.close();
    await store.close();
    const again = await GatewayBench.start({ store: await openFileStore({ file }), filesFolder });
    assert.equal((await again.get(`${FILES}/a/b.txt`)).bytes.toString(), 'hello');
    await again.ask('DELETE', `${STORAGES}/s`);
    assert.deepEqual(readdirSync(join(filesFolder, 'anna')), []);
  });
});
