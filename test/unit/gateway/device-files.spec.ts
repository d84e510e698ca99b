import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'mocha';
import type { GatewayOptions } from '../../../src/gateway/gateway-options';
import { FileDevice } from './support/file-device';
import { errorOf, GatewayBench, type Answer, type Ask } from './support/gateway-bench';

const FILES = '/v3/users/anna/devices/pump/files';
const RESOURCES = '/v3/users/anna/devices/pump/resources';
const BYTES = { 'Content-Type': 'application/octet-stream' };

interface Bench {
  readonly bench: GatewayBench;
  readonly device: FileDevice;
  readonly put: (path: string, content: Buffer, ask?: Ask) => Promise<Answer>;
}

async function withFiles(options: Partial<GatewayOptions> = {}): Promise<Bench> {
  const bench = await GatewayBench.start(options, { tcpPort: 0 });
  const device = await FileDevice.connect(bench.broker.port());
  return {
    bench,
    device,
    put: (path, raw, ask) => bench.ask('PUT', FILES + encodeURI(path), { raw, headers: BYTES, ...ask }),
  };
}

describe('files of a device', () => {
  it('are listed, hidden ones where they are wanted', async () => {
    const { bench, device } = await withFiles();
    device.files.set('etc', 'folder').set('etc/hosts', Buffer.from('x')).set('etc/.secret', Buffer.alloc(0));
    const list = async (path: string): Promise<unknown> =>
      ((await bench.get(FILES + path)).body as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(await list('/'), ['etc']);
    assert.deepEqual(await list('/etc/'), ['hosts']);
    assert.deepEqual(await list('/etc'), ['hosts']);
    assert.deepEqual(await list('//etc/?hidden=true'), ['hosts', '.secret']);
    assert.deepEqual(await list('/etc%2F'), ['hosts']);
    const answer = await bench.get(`${FILES}/etc/hosts?info=true`);
    assert.deepEqual(answer.body, {
      name: 'hosts',
      path: '/root/etc/hosts',
      type: 'file',
      mode: 'rw-r--r--',
      modified: 1,
      size: 1,
    });
    assert.equal((await bench.get(`${FILES}?info=true`)).status, 404);
  });

  it('are written and read, small ones in one message', async () => {
    const { bench, device, put } = await withFiles();
    const content = randomBytes(20_000);
    const made = await put('/a/b c/é.bin', content);
    assert.equal(made.status, 200);
    assert.deepEqual(made.body, { success: true, path: '/root/a/b c/é.bin', type: 'file', size: 20_000 });
    assert.equal((await put('/empty', Buffer.alloc(0))).status, 200);
    const read = await bench.get(`${FILES}/a/b%20c/%C3%A9.bin`);
    assert.equal(read.type, 'application/octet-stream');
    assert.deepEqual(read.bytes, content);
    const empty = await bench.get(`${FILES}/empty`);
    assert.deepEqual([empty.status, empty.bytes.length], [200, 0]);
    assert.equal((await put('/empty?overwrite=false', content)).status, 409);
    assert.ok(device.log.every((line) => !line.startsWith('upload') && !line.startsWith('download')));
    const known = bench.server.lastKnown({ user: 'anna', device: 'pump' });
    assert.equal(known?.get('$fs/get/empty'), undefined, 'contents of files are nothing to remember');
  });

  it('that are large are streamed, in both directions, within a window', async () => {
    const { bench, device, put } = await withFiles();
    for (const size of [65_537, 3_000_001]) {
      const content = randomBytes(size);
      const made = await put(`/deep/down/${size}.bin`, content);
      assert.deepEqual(
        [made.status, made.body],
        [200, { success: true, path: `deep/down/${size}.bin`, type: 'file', size }],
      );
      assert.ok(content.equals(device.files.get(`deep/down/${size}.bin`) as Buffer));
      const read = await bench.get(`${FILES}/deep/down/${size}.bin`);
      assert.equal(read.headers['content-length'], String(size));
      assert.ok(content.equals(read.bytes));
    }
    await bench.until(() => device.log.includes('download of deep/down/3000001.bin stopped at 3000001'));
    assert.ok(device.log.includes('upload of deep/down/3000001.bin stopped at 3000001'));
    assert.ok(device.mostInFlight <= 512 * 1024, String(device.mostInFlight));
    const head = await bench.ask('HEAD', `${FILES}/deep/down/3000001.bin`);
    assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '3000001', 0]);
    const again = await put('/deep/down/65537.bin?overwrite=false', randomBytes(70_000));
    assert.equal(again.status, 409);
  });

  it('that grow while they are read are cut at the size that was told', async () => {
    const { bench, device } = await withFiles();
    const content = randomBytes(100_000);
    device.files.set('log', content);
    device.grown = randomBytes(300_000);
    const read = await bench.get(`${FILES}/log`);
    assert.ok(content.equals(read.bytes));
  });

  it('are moved and deleted, folders are made', async () => {
    const { bench, device } = await withFiles();
    const ask = async (method: string, path: string, body?: unknown): Promise<number> =>
      (await bench.ask(method, FILES + path, { body })).status;
    const folder = await bench.ask('PUT', `${FILES}/new/folder/`, { headers: { 'Content-Length': '0' } });
    assert.deepEqual(folder.body, { success: true, path: '/root/new/folder/', type: 'directory' });
    device.files.set('new/folder/a', Buffer.from('a')).set('b', Buffer.from('b'));
    assert.equal(await ask('PATCH', '/b', { path: '/new/folder/a' }), 409);
    assert.equal(await ask('PATCH', '/b', { path: '/new/folder/a', overwrite: true }), 200);
    assert.equal(String(device.files.get('new/folder/a')), 'b');
    assert.equal(await ask('PATCH', '/b', { path: '/c' }), 404);
    const refused = await bench.ask('DELETE', `${FILES}/new`);
    assert.deepEqual([refused.status, errorOf(refused)], [500, 'Directory not empty']);
    assert.equal(await ask('DELETE', '/new?recursive=true'), 200);
    assert.deepEqual([...device.files.keys()], []);
    assert.deepEqual(device.log, [
      'put new/folder/',
      'move b {"path":"/new/folder/a","destination":"/new/folder/a"}',
      'move b {"overwrite":true} {"path":"/new/folder/a","destination":"/new/folder/a"}',
      'move b {"path":"/c","destination":"/c"}',
      'delete new',
      'delete new {"recursive":true}',
    ]);
  });

  it('have a hash, which is read by running it', async () => {
    const { bench, device } = await withFiles();
    device.files.set('etc/a', Buffer.from('content'));
    const answer = await bench.get(`${RESOURCES}/$fs/hash//etc/a?algorithm=md5`);
    const { hash, algorithm } = answer.body as { hash: string; algorithm: string };
    assert.deepEqual([algorithm, hash], ['md5', createHash('md5').update('content').digest('hex')]);
    assert.equal((await bench.get(`${RESOURCES}/$fs/hash/etc/a?algorithm=crc`)).status, 400);
    assert.equal((await bench.get(`${RESOURCES}/$fs/hash/etc/none`)).status, 404);
    assert.deepEqual((await bench.get(`${RESOURCES}/$fs/hash/etc/a/api`)).status, 200);
  });
});

describe('requests for files of a device', () => {
  it('are refused when they are not what they should be', async () => {
    const { bench, device } = await withFiles();
    device.files.set('a', Buffer.from('a'));
    const ask = async (method: string, path: string, body?: unknown): Promise<number> =>
      (await bench.ask(method, FILES + path, body === undefined ? {} : { body })).status;
    const refused: [string, string, unknown, number][] = [
      ['GET', '/none', undefined, 404],
      ['GET', '/../etc/passwd', undefined, 400],
      ['GET', '/a%2F..%2Fb', undefined, 400],
      ['GET', '/a%00b', undefined, 400],
      ['GET', '/a?info=perhaps', undefined, 400],
      ['DELETE', '/', undefined, 403],
      ['DELETE', '//', undefined, 403],
      ['PUT', '/', undefined, 403],
      ['PATCH', '/', { path: '/x' }, 403],
      ['PATCH', '/a', undefined, 400],
      ['PATCH', '/a', {}, 400],
      ['PATCH', '/a', { path: '' }, 400],
      ['PATCH', '/a', { path: '/../x' }, 400],
      ['PATCH', '/a', { path: '/x\0y' }, 400],
      ['PATCH', '/a', { path: '\ud800' }, 400],
      ['PATCH', '/a', { path: 'x'.repeat(5000) }, 400],
      ['PATCH', '/a', { path: '/x', overwrite: 'no' }, 400],
      ['POST', '/a', {}, 405],
    ];
    for (const [method, path, body, status] of refused) {
      assert.equal(await ask(method, path, body), status, `${method} ${path} ${JSON.stringify(body)}`);
    }
    assert.deepEqual([...device.files.keys()], ['a']);
  });

  it('of a length that is not told are taken while they are small', async () => {
    const { bench, device } = await withFiles();
    const send = async (content: Buffer): Promise<number | undefined> => {
      const request = http.request({
        port: bench.port,
        path: `${FILES}/chunked`,
        method: 'PUT',
        headers: { ...BYTES, Authorization: `Bearer ${bench.token}`, 'Transfer-Encoding': 'chunked' },
        agent: false,
      });
      request.end(content);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    assert.equal(await send(Buffer.from('small')), 200);
    assert.equal(String(device.files.get('chunked')), 'small');
    assert.equal(await send(randomBytes(65_537)), 411);
    assert.equal(String(device.files.get('chunked')), 'small');
  });

  it('of others, and with tokens that do not reach them, are refused', async () => {
    const { bench, device, put } = await withFiles();
    device.files.set('a', Buffer.from('a'));
    const bert = { token: await bench.tokenOf('bert') };
    assert.equal((await bench.get(`${FILES}/a`, bert)).status, 403);
    assert.equal((await put('/b', randomBytes(100_000), bert)).status, 403);
    const reader = { token: await bench.tokenOf('anna', { Device: { '*': ['Read*'] } }) };
    assert.equal((await bench.get(`${FILES}/a`, reader)).status, 403);
    const made = await bench.post('/v1/users/anna/devices/pump/tokens', {
      token_name: 'app',
      token_resources: ['temp', '$fs/get/a'],
    });
    const app = { token: (made.body as { token: string }).token };
    assert.equal((await bench.get(`${FILES}/a`, app)).status, 200);
    assert.equal((await bench.get(`${FILES}/b`, app)).status, 403);
    assert.equal((await bench.ask('DELETE', `${FILES}/a`, app)).status, 403);
    assert.equal((await bench.get('/v3/users/anna/devices/lamp/files/a')).status, 404, 'not connected');
  });

  it('to a device without files are answered with 501', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    for (const path of [`${FILES}/a`, `${FILES}/`, `${FILES}/a?info=true`, `${RESOURCES}/$fs/hash/a`]) {
      assert.equal((await bench.get(path)).status, 501, path);
    }
    assert.equal((await bench.ask('DELETE', `${FILES}/a`)).status, 501);
  });
});

describe('a transfer', () => {
  it('that the program gives up is stopped on the device', async () => {
    const { bench, device } = await withFiles();
    device.files.set('large', randomBytes(5_000_000));
    const request = http.get({
      port: bench.port,
      path: `${FILES}/large`,
      headers: { Authorization: `Bearer ${bench.token}` },
      agent: false,
    });
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.once('data', () => request.destroy());
    await bench.until(() => device.log.some((line) => line.startsWith('download of large stopped')));
    device.acknowledges = false;
    const upload = http.request({
      port: bench.port,
      path: `${FILES}/up`,
      method: 'PUT',
      headers: { ...BYTES, Authorization: `Bearer ${bench.token}`, 'Content-Length': 5_000_000 },
      agent: false,
    });
    upload.on('error', () => undefined);
    upload.write(randomBytes(100_000));
    await bench.until(() => device.log.includes('upload up of 5000000'));
    upload.destroy();
    await bench.until(() => device.log.some((line) => line.startsWith('upload of up stopped')));
    await bench.until(() => / 0$/m.test(bench.metric('iotmp_sockets_open')));
    assert.equal(device.files.has('up'), false);
  });

  it('keeps the device waiting, which hears of a slow program in time, and all bytes arrive', async () => {
    const { bench, device } = await withFiles();
    const { clock } = bench.broker;
    const content = randomBytes(24_000_000);
    device.files.set('large', content);
    const request = http.get({
      port: bench.port,
      path: `${FILES}/large`,
      headers: { Authorization: `Bearer ${bench.token}` },
      agent: false,
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    // The program takes nothing but what the systems keep for it.
    let [taken, looks] = [0, 0];
    await bench.until(() => {
      looks = device.acks.length === taken ? looks + 1 : 0;
      taken = device.acks.length;
      return taken > 0 && looks > 100;
    });
    await clock.advance(12_000);
    await bench.until(() => device.acks.length >= taken + 2);
    assert.deepEqual(device.acks.slice(taken), [1, 1]);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    assert.ok(Buffer.concat(chunks).equals(content));
    assert.ok(device.mostInFlight <= 9 * 65_536, `${device.mostInFlight} bytes were under way`);
  });

  it('that stalls is given up after half a minute', async () => {
    const { bench, device, put } = await withFiles();
    const { clock } = bench.broker;
    device.acknowledges = false;
    const stalled = put('/up', randomBytes(2_000_000));
    await bench.until(() => device.log.includes('upload up of 2000000'));
    await clock.advance(15_000);
    await clock.advance(60_000);
    const answer = await stalled;
    assert.equal(answer.status, 504);
    device.files.set('large', randomBytes(200_000));
    device.sends = false;
    const download = assert.rejects(bench.get(`${FILES}/large`), /aborted|hang up/);
    await bench.until(() => device.log.includes('download large'));
    await bench.until(() => / 1$/m.test(bench.metric('iotmp_sockets_open')));
    await clock.advance(15_000);
    await clock.advance(60_000);
    await download;
  });

  it('ends with the connection of the device, and with its token', async () => {
    const { bench, device, put } = await withFiles();
    device.acknowledges = false;
    const token = await bench.tokenOf('anna');
    const [{ token: name } = { token: '' }] = (
      (await bench.get('/v1/users/anna/tokens')).body as { token: string }[]
    ).filter((row) => row.token !== 'all');
    const revoked = put('/one', randomBytes(100_000), { token });
    await bench.until(() => device.log.includes('upload one of 100000'));
    await bench.ask('DELETE', `/v1/users/anna/tokens/${name}`);
    assert.equal((await revoked).status, 499);
    await bench.until(() => device.log.some((line) => line.startsWith('upload of one stopped')));
    const cut = put('/two', randomBytes(100_000));
    await bench.until(() => device.log.includes('upload two of 100000'));
    void device.client.close();
    assert.equal((await cut).status, 503);
  });

  it('takes a place, of which a token has only so many', async () => {
    const { bench, device, put } = await withFiles({ limits: { socketsPerToken: 1 } });
    device.acknowledges = false;
    const first = put('/one', randomBytes(100_000));
    await bench.until(() => device.log.includes('upload one of 100000'));
    assert.equal((await put('/two', randomBytes(100_000))).status, 503);
    void device.client.close();
    await first;
  });
});
