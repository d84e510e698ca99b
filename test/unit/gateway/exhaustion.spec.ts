import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import { describe, it } from 'mocha';
import { Pattern } from '../../../src/gateway/events/pattern';
import { BucketExports, type ExportOrder } from '../../../src/gateway/exports/bucket-exports';
import { eventStream } from '../../../src/gateway/http/event-stream';
import { networkOf } from '../../../src/transport/network';
import { Answer } from '../../../src/session/hosting/resource';
import { cleanUp } from '../../support/clean-up';
import { FakeClock } from '../support/fake-clock';
import { GatewayBench } from './support/gateway-bench';

const USER = '/v1/users/anna';
const FILES = `${USER}/storages/s/files`;
const LOG = `${USER}/buckets/log`;
const GREEDY = '((.?){25}){25}';

/** A connection on which something was sent. */
async function sent(bench: GatewayBench, text: string): Promise<net.Socket> {
  const socket = net.connect(bench.port, '127.0.0.1');
  cleanUp(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

function head(bench: GatewayBench, method: string, path: string, more = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\n${more}\r\n`;
}

/** An export of a bucket with so many rows of 10 kB; gives its path. */
async function exported(bench: GatewayBench, rows: number): Promise<string> {
  await bench.post(`${USER}/buckets`, { bucket: 'log' });
  const key = { user: 'anna', bucket: 'log' };
  for (let row = 0; row < rows; row += 50) {
    const many = Array.from({ length: 50 }, () => ({ value: { text: 'x'.repeat(10_000) } }));
    await bench.services.buckets.write(key, many);
  }
  const { body } = await bench.post(`${LOG}/exports`, { data_type: 'json' });
  return `${LOG}/exports/${(body as { file: string }).file}`;
}

describe('patterns', () => {
  it('take no more time than there is for one event, or one list', async () => {
    assert.throws(() => new Pattern(GREEDY), { code: 'IOTMP_ERR_REQUEST' });
    const bench = await GatewayBench.start();
    const socket = await bench.socket(`${USER}/events`);
    socket.send(Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`f${index}`, '(.?){90}'])));
    await bench.until(() => socket.closeCode !== undefined);
    assert.equal(socket.closeCode, 1007);
    // What is too long for a pattern is looked for as it is written.
    const long = encodeURIComponent('(.?){90}');
    assert.deepEqual((await bench.get(`${USER}/devices?name=${long}`)).body, []);
    const short = encodeURIComponent('p.?mp');
    assert.equal(((await bench.get(`${USER}/devices?name=${short}`)).body as unknown[]).length, 1);
  });
});

describe('whoever has shown no token', () => {
  it('sends small bodies only', async () => {
    const bench = await GatewayBench.start();
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    for (const path of ['/oauth/token', '/oauth/device/authorize', '/oauth/device/verification']) {
      const raw = `client_id=${'x'.repeat(20_000)}`;
      assert.equal((await bench.ask('POST', path, { token: null, raw, headers: form })).status, 413, path);
    }
    assert.notEqual(
      (await bench.post('/oauth/device/verification', { user_code: 'x'.repeat(20_000) })).status,
      413,
    );
  });

  it('is limited as one by all addresses of his network', () => {
    assert.equal(networkOf('192.0.2.7'), '192.0.2.7');
    assert.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7');
    assert.equal(networkOf('::ffff:c000:207'), '192.0.2.7');
    assert.equal(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:2:aaaa:bbbb:cccc:dddd'));
    assert.equal(networkOf('2001:db8::1'), networkOf('2001:db8:0:0:ffff::'));
    assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'));
    assert.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2'));
    assert.equal(networkOf('::1'), '0:0:0:0::');
    assert.equal(networkOf(''), '');
  });

  it('leaves no sockets behind at paths that take none', async () => {
    const bench = await GatewayBench.start();
    for (const path of [
      '/v1/users/anna/none',
      '/v1/users/anna/../events',
      '/oauth/token',
      '/v1/server/%zz',
    ]) {
      await assert.rejects(bench.socket(path, { token: null }), /refused with 404/);
    }
    await assert.rejects(bench.socket('/comms', { token: null }));
    assert.deepEqual(bench.foreign, ['/comms']);
  });
});

describe('a handshake that waits for its turn', () => {
  it('ends with its client', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1, requestBurst: 1 } });
    const { clock } = bench.broker;
    assert.equal((await bench.get(`${USER}/devices`)).status, 200);
    const before = clock.pending;
    const lines = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const upgrade = lines.map((line) => `${line}\r\n`).join('');
    const socket = await sent(bench, head(bench, 'GET', `${USER}/events`, upgrade));
    await bench.until(() => clock.pending === before + 1);
    const closed = once(socket, 'close');
    socket.end();
    await closed;
    await bench.until(() => clock.pending === before);
  });
});

describe('answers that last', () => {
  it('hold a place as sockets do, and end with their token', async () => {
    const bench = await GatewayBench.start({ limits: { socketsPerToken: 1 } });
    const path = await exported(bench, 50);
    await bench.post(`${USER}/storages`, { storage: 's' });
    await bench.ask('PUT', `${FILES}/a`, { raw: 'x' });
    for (const each of [path, `${FILES}/a`, path]) assert.equal((await bench.get(each)).status, 200);
    const socket = await bench.socket(`${USER}/events`);
    for (const each of [path, `${FILES}/a`]) assert.equal((await bench.get(each)).status, 503);
    socket.webSocket.close();
    await bench.until(() => / 0$/m.test(bench.metric('iotmp_sockets_open')));
    assert.equal((await bench.get(path)).status, 200);
    await bench.until(() => / 0$/m.test(bench.metric('iotmp_sockets_open')));
  });

  it('are cut off where nobody reads them', async () => {
    const bench = await GatewayBench.start({ limits: { drainTimeoutMs: 100 } });
    const path = await exported(bench, 1500);
    const socket = await sent(bench, head(bench, 'GET', path));
    socket.pause();
    await bench.until(() => / 1$/m.test(bench.metric('iotmp_sockets_open')));
    await bench.until(() => / 0$/m.test(bench.metric('iotmp_sockets_open')));
  });

  it('are cut off where nobody reads them: files', async () => {
    const bench = await GatewayBench.start({ limits: { drainTimeoutMs: 100 } });
    await bench.post(`${USER}/storages`, { storage: 's' });
    const file = `${FILES}/large`;
    assert.equal((await bench.ask('PUT', file, { raw: Buffer.alloc(16_000_000) })).status, 200);
    const socket = await sent(bench, head(bench, 'GET', file));
    socket.pause();
    await bench.until(() => / 1$/m.test(bench.metric('iotmp_sockets_open')));
    await bench.until(() => / 0$/m.test(bench.metric('iotmp_sockets_open')));
  });

  it('are cut off where nobody reads them: events', async () => {
    const clock = new FakeClock();
    const response = new ServerResponse(new IncomingMessage(new net.Socket()));
    const closing = new AbortController();
    const options = { clock, maxBufferedBytes: 1_000_000, closing: closing.signal, counts: () => true };
    let ended = 0;
    eventStream(options, (stream) => {
      stream.send('x'.repeat(200_000));
      return () => ended++;
    }).serve(response);
    await clock.advance(15_000);
    assert.equal(response.destroyed, false, 'he has some time');
    await clock.advance(15_000);
    assert.equal(response.destroyed, true);
    response.emit('close');
    assert.deepEqual([ended, clock.pending], [1, 0]);
  });

  it('of HEAD have no body, and end', async () => {
    const bench = await GatewayBench.start();
    const path = await exported(bench, 50);
    assert.deepEqual(
      [(await bench.ask('HEAD', path)).status, (await bench.ask('HEAD', path)).bytes.length],
      [200, 0],
    );
    const headers = { Accept: 'text/event-stream' };
    const answer = await bench.ask('HEAD', `${USER}/devices/pump/stats`, { headers });
    assert.equal(answer.type, 'text/event-stream');
    await bench.until(() => / 0$/m.test(bench.metric('iotmp_sockets_open')));
  });
});

describe('exports', () => {
  it('are remembered for each user, however many others order', () => {
    const exports = new BucketExports(new FakeClock());
    const order = (user: string): ExportOrder => ({
      user,
      bucket: 'log',
      type: 'csv',
      timestamps: 'iso',
      minTs: 0,
      maxTs: 1,
    });
    const files = ['anna', 'bert'].map((user) => [user, exports.add(order(user))] as const);
    for (let index = 0; index < 100; index++) exports.add(order('bert'));
    const kept = files.map(([user, file]) => exports.get({ user, bucket: 'log' }, file) !== undefined);
    assert.deepEqual(kept, [true, false]);
  });
});

describe('an answer of a flow', () => {
  it('with a status that is none is a success', async () => {
    const bench = await GatewayBench.start();
    const statuses = [42, 0, -1, 100, 101, 204, 304, 200.5, 201];
    for (const status of statuses) {
      const end = bench.services.endpoints.host('odd', () => new Answer({ a: 1 }, status));
      const answer = await bench.post(`${USER}/endpoints/odd/call`, {});
      assert.deepEqual([answer.status, answer.body], [status === 201 ? 201 : 200, { a: 1 }], String(status));
      end();
    }
    bench.services.endpoints.host('none', () => new Answer(undefined, 204));
    assert.equal((await bench.post(`${USER}/endpoints/none/call`, {})).status, 204);
  });
});

describe('a stream', () => {
  it('with an interval that is none is refused in the socket', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    for (const interval of ['999999999999999', '-5', '0.5']) {
      const socket = await bench.socket(`/v3/users/anna/devices/pump/resources/temp?interval=${interval}`);
      await bench.until(() => socket.closeCode !== undefined || socket.frames.length > 0);
      if (socket.closeCode !== undefined) assert.equal(socket.closeCode, 1008, interval);
    }
  });
});

describe('a gateway that is closed', () => {
  it('answers what is under way', async () => {
    const bench = await GatewayBench.start();
    await bench.post(`${USER}/storages`, { storage: 's' });
    const length = 'Content-Length: 100\r\nContent-Type: application/json\r\n';
    const upload = await sent(bench, `${head(bench, 'PUT', `${FILES}/a`, length)}part`);
    const slow = await sent(bench, `${head(bench, 'POST', `${USER}/buckets`, length)}{"bucket":"late"`);
    const answers = [upload, slow].map((socket) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      return () => text;
    });
    // That both have been heard is seen by what comes after them.
    await bench.get(`${USER}/devices`);
    await bench.gateway.close();
    await bench.until(() => answers[0]?.().startsWith('HTTP/1.1 503') === true);
    slow.write('}'.padEnd(100 - '{"bucket":"late"'.length));
    await bench.until(() => answers[1]?.().startsWith('HTTP/1.1 503') === true);
    assert.deepEqual(await bench.services.buckets.list('anna'), []);
  });
});
