import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { GatewayBench } from './support/gateway-bench';
import { sessionOf } from '../support/device-session';

const STREAMS = '/v3/users/anna/devices/pump/resources';
const TEMP = { temp: { fn: 3, run: () => 21.5 } } as const;

describe('streams of a device in one socket', () => {
  it('send samples and nothing else', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ ...TEMP, hum: { fn: 3, run: () => ({ rel: 40 }) } });
    const socket = await bench.socket(STREAMS);
    socket.send({ resource: 'temp', interval: 5, enabled: true });
    socket.send({ resource: 'hum', interval: null });
    await bench.until(() => socket.frames.length === 2);
    assert.deepEqual(socket.messages, [
      { resource: 'temp', signal: 'data', payload: 21.5 },
      { resource: 'hum', signal: 'data', payload: { rel: 40 } },
    ]);
    const intervals = [...device.streams.values()].map(({ resource, interval }) => [resource, interval]);
    assert.deepEqual(intervals, [
      ['temp', 5000],
      ['hum', undefined],
    ]);
  });

  it('take the same order twice for one, and another interval for a change', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(TEMP);
    const socket = await bench.socket(STREAMS);
    socket.send({ resource: 'temp', interval: 5 });
    socket.send({ resource: 'temp', interval: 5 });
    await bench.until(() => socket.frames.length === 1);
    assert.equal(device.all(Type.START_STREAM).length, 1);
    socket.send({ resource: 'temp', interval: 2 });
    await bench.until(() => [...device.streams.values()].some(({ interval }) => interval === 2000));
    assert.equal(device.streams.size, 1);
    socket.send({ resource: 'temp', enabled: false });
    await bench.until(() => device.streams.size === 0);
    assert.equal(socket.closeCode, undefined);
  });

  it('are shared with others, and end with the socket', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(TEMP);
    const [one, two] = [await bench.socket(STREAMS), await bench.socket(STREAMS)];
    for (const socket of [one, two]) socket.send({ resource: 'temp', interval: 10 });
    await bench.until(() => one.frames.length > 0 && two.frames.length > 0);
    assert.equal(device.streams.size, 1);
    one.webSocket.close();
    await bench.until(() => one.closeCode !== undefined);
    assert.equal(device.streams.size, 1);
    two.webSocket.terminate();
    await bench.until(() => device.streams.size === 0);
  });

  it('begin when the device appears, and again when it returns', async () => {
    const bench = await GatewayBench.start();
    const socket = await bench.socket(STREAMS);
    socket.send({ resource: 'temp', interval: 0 });
    await socket.synced();
    const first = await bench.device(TEMP);
    await bench.until(() => socket.frames.length === 1);
    first.wire.cut();
    await bench.until(() => bench.server.deviceCount === 0);
    const second = await bench.device(TEMP);
    await bench.until(() => socket.frames.length === 2);
    assert.equal(second.streams.size, 1);
    assert.equal(socket.closeCode, undefined);
  });

  it('end the socket over a frame that is none, and over a resource that is not allowed', async () => {
    const bench = await GatewayBench.start();
    const made = await bench.post('/v1/users/anna/devices/pump/tokens', {
      token_name: 'x',
      token_resources: ['temp'],
    });
    const { token } = made.body as { token: string };
    for (const frame of ['{', '[]', '{"resource":5}', '{"resource":""}', Buffer.from([0xff])]) {
      const socket = await bench.socket(STREAMS);
      socket.send(frame);
      await bench.until(() => socket.closeCode !== undefined);
      assert.equal(socket.closeCode, 1007, String(frame));
    }
    const socket = await bench.socket(STREAMS, { token });
    socket.send({ resource: 'other' });
    await bench.until(() => socket.closeCode !== undefined);
    assert.equal(socket.closeCode, 1008);
  });

  it('are refused over HTTP: 401, 403, 404', async () => {
    const bench = await GatewayBench.start();
    await assert.rejects(bench.socket(STREAMS, { token: null }), /401/);
    await assert.rejects(bench.socket(STREAMS, { token: 'wrong' }), /401/);
    await assert.rejects(bench.socket(STREAMS, { token: await bench.tokenOf('bert') }), /403/);
    await assert.rejects(bench.socket(STREAMS, { token: await bench.tokenOf('anna', {}) }), /403/);
    await assert.rejects(bench.socket('/v3/users/anna/devices/none/resources'), /404/);
  });

  it('are served on paths of the gateway only', async () => {
    const bench = await GatewayBench.start();
    await assert.rejects(bench.socket('/comms', { token: null }), /hang up/);
    assert.equal(bench.foreign.length, 1);
    for (const path of ['/v3/%00', '/v1/users/anna/devices', '/v3/users/anna/../x']) {
      await assert.rejects(bench.socket(path, { token: null }), /refused with 404/, path);
    }
  });

  it('end when the token is revoked, and when the gateway is closed', async () => {
    const bench = await GatewayBench.start();
    const token = await bench.gateway.createToken('anna', 'short', { allow: { '*': { '*': '*' } } });
    const revoked = await bench.socket(STREAMS, { token });
    const kept = await bench.socket(STREAMS);
    await bench.ask('DELETE', '/v1/users/anna/tokens/short');
    await bench.broker.clock.advance(30_000);
    await bench.until(() => revoked.closeCode !== undefined);
    assert.equal(revoked.closeCode, 1008);
    assert.equal(kept.closeCode, undefined);
    await bench.gateway.close();
    await bench.until(() => kept.closeCode !== undefined);
    assert.equal(kept.closeCode, 1001);
  });
});

describe('stream of one resource in a socket of its own', () => {
  it('sends samples and takes input', async () => {
    const bench = await GatewayBench.start();
    let state: unknown = 1;
    const device = await bench.device({ level: { fn: 4, run: (input) => (state = input ?? state) } });
    const socket = await bench.socket(`${STREAMS}/level`);
    await bench.until(() => socket.frames.length === 1);
    assert.deepEqual(socket.messages[0], { resource: 'level', signal: 'data', payload: 1 });
    socket.send({ resource: 'level', payload: { bytes: [1, 2] } });
    await bench.until(() => socket.frames.length === 2);
    assert.deepEqual(device.all(Type.STREAM_DATA)[0]?.payload, Buffer.from([1, 2]));
    assert.deepEqual(socket.messages[1]?.payload, { bytes: [1, 2] });
    socket.send('nonsense');
    await bench.until(() => socket.frames.length === 3);
    assert.equal(socket.messages[2]?.signal, 'error');
  });

  it('passes the query on as parameters, and ends with the stream', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ $terminal: { fn: 4, run: () => 'hello' } });
    const socket = await bench.socket(`${STREAMS}/$terminal?cols=80&rows=24`);
    const { parameters, id = 0 } = device.all(Type.START_STREAM)[0]!;
    assert.deepEqual(parameters, { cols: 80, rows: 24 });
    await bench.until(() => socket.frames.length === 1);
    device.send(device.build(Type.STOP_STREAM, { id }));
    await bench.until(() => socket.closeCode !== undefined);
    assert.equal(socket.closeCode, 1000);
  });

  it('is plain bytes in both directions with raw=1', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ $terminal: { fn: 4, run: () => Buffer.from('$ ') } });
    const socket = await bench.socket(`${STREAMS}/$terminal?raw=1&cols=80`);
    await bench.until(() => socket.frames.length === 1);
    assert.deepEqual(socket.frames[0], Buffer.from('$ '));
    assert.deepEqual(device.all(Type.START_STREAM)[0]?.parameters, { cols: 80 });
    socket.send(Buffer.from([3]));
    await device.next(Type.STREAM_DATA);
    assert.deepEqual(device.all(Type.STREAM_DATA)[0]?.payload, Buffer.from([3]));
    socket.webSocket.close();
    await device.next(Type.STOP_STREAM);
  });

  it('is a conversation for a session also without raw and parameters: nobody else can open it until it is left', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ '$cmd/1': { fn: 4, run: () => 'hello' } });
    const first = await bench.socket(`${STREAMS}/$cmd/1`);
    await bench.until(() => first.frames.length === 1);
    for (const path of ['$cmd/1', '$cmd/1?raw=1', '$cmd/1?x=1']) {
      await assert.rejects(bench.socket(`${STREAMS}/${path}`), /refused with 409/);
    }
    device.serves = false;
    first.webSocket.close();
    await device.next(Type.STOP_STREAM);
    device.serves = true;
    // The device has not answered yet.
    const second = await bench.socket(`${STREAMS}/$cmd/1`);
    await bench.until(() => second.frames.length === 1);
    assert.equal(device.all(Type.START_STREAM).length, 2);
  });

  it('tells the end of the connection of the device, and a complaint of it, from the end of the stream', async () => {
    for (const [end, code, reason] of [
      [(device: RawDevice) => device.wire.cut(), 1014, 'the connection of the device has ended'],
      [
        (device: RawDevice, id: number) =>
          device.send(
            device.build(Type.STOP_STREAM, { id, parameters: 507, payload: { error: 'no space left' } }),
          ),
        1011,
        'no space left',
      ],
      [
        (device: RawDevice, id: number) => device.send(device.build(Type.STOP_STREAM, { id })),
        1000,
        'the stream has ended',
      ],
    ] as const) {
      const bench = await GatewayBench.start();
      const device = await bench.device({ '$proxy/1': { fn: 4, run: () => 'hello' } });
      const socket = await bench.socket(`${STREAMS}/$proxy/1?raw=1`);
      await bench.until(() => socket.frames.length === 1);
      const reasons: string[] = [];
      socket.webSocket.on('close', (_code, text: Buffer) => reasons.push(text.toString()));
      end(device, device.all(Type.START_STREAM)[0]?.id ?? 0);
      await bench.until(() => socket.closeCode !== undefined);
      assert.deepEqual([socket.closeCode, ...reasons], [code, reason]);
      await bench.close();
    }
  });

  it('takes plain bytes in larger frames than the device does', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ '$proxy/1': { fn: 4, run: () => undefined } });
    const socket = await bench.socket(`${STREAMS}/$proxy/1?raw=1`);
    const bytes = randomBytes(600_000);
    socket.send(bytes);
    const received = (): Buffer =>
      Buffer.concat(device.all(Type.STREAM_DATA).map(({ payload }) => payload as Buffer));
    await bench.until(() => received().length >= bytes.length);
    assert.ok(received().equals(bytes));
    assert.equal(socket.closeCode, undefined);
  });

  it('is refused with what went wrong', async () => {
    const bench = await GatewayBench.start();
    await assert.rejects(bench.socket(`${STREAMS}/$terminal?raw=1`), /404/);
    const device = await bench.device();
    device.serves = false;
    const refused = assert.rejects(bench.socket(`${STREAMS}/$proxy/1?port=22`), /403/);
    const { id = 0 } = await device.next(Type.START_STREAM);
    device.error(id, { error: 'no' }, 403);
    await refused;
  });

  it('is stopped on the device when the client has gone before it was open', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device();
    device.serves = false;
    const opening = bench.socket(`${STREAMS}/$terminal?raw=1`).catch(() => undefined);
    const { id = 0 } = await device.next(Type.START_STREAM);
    bench.dropSockets();
    await opening;
    await bench.until(
      () => sessionOf(bench.server.device({ user: 'anna', device: 'pump' })).requestCount === 0,
    );
    device.ok(id);
    device.sample(id, 'late');
    await device.next(Type.STOP_STREAM);
  });
});
