import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench, type SocketClient } from '../support/gateway-bench';

const STREAMS = '/v3/users/anna/devices/pump/resources';
const EVENTS = '/v1/users/anna/events';
const TEMP = { temp: { fn: 3, run: () => 21.5 } } as const;

/** The frames that device-stream sends, as it writes them. */
const start = (resource: string, interval: number): string =>
  JSON.stringify({ resource, interval, enabled: true });
const stop = (resource: string): string => JSON.stringify({ resource, enabled: false });

describe('device-stream', () => {
  it('gets a frame for each sample, and none for anything else', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ ...TEMP, hum: { fn: 3, run: () => ({ rel: 40 }) } });
    const socket = await bench.socket(STREAMS);
    socket.send(start('temp', 5));
    socket.send(start('hum', Number.NaN));
    socket.send(start('unknown', 1));
    await bench.until(() => socket.frames.length === 2);
    await bench.broker.clock.advance(1000);
    await socket.synced();
    assert.deepEqual(
      socket.messages.map(({ resource, payload }) => [resource, payload]),
      [
        ['temp', 21.5],
        ['hum', { rel: 40 }],
      ],
    );
    socket.send(stop('temp'));
    await bench.until(() => device.streams.size === 1);
    assert.equal(socket.closeCode, undefined);
  });

  it('asks for the greatest common divisor of its intervals, and again on each change', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(TEMP);
    const socket = await bench.socket(STREAMS);
    for (const interval of [10, 5, 5, 1]) socket.send(start('temp', interval));
    await bench.until(() => [...device.streams.values()].some(({ interval }) => interval === 1000));
    assert.equal(device.streams.size, 1);
    assert.equal(socket.closeCode, undefined);
  });

  it('orders everything again after its socket was lost', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(TEMP);
    const first = await bench.socket(STREAMS);
    first.send(start('temp', 5));
    await bench.until(() => first.frames.length === 1);
    first.webSocket.terminate();
    await bench.until(() => device.streams.size === 0);
    const second = await bench.socket(STREAMS);
    second.send(start('temp', 5));
    second.send(start('temp', 5));
    await bench.until(() => second.frames.length === 1);
    assert.equal(device.streams.size, 1);
  });

  it('goes on when its device comes back, without a word', async () => {
    const bench = await GatewayBench.start();
    const socket = await bench.socket(STREAMS);
    socket.send(start('temp', 5));
    await socket.synced();
    assert.equal(socket.frames.length, 0, 'the device is not there yet');
    for (const round of [1, 2]) {
      const device = await bench.device(TEMP);
      await bench.until(() => socket.frames.length === round);
      device.wire.cut();
      await bench.until(() => bench.server.deviceCount === 0);
    }
    assert.equal(socket.closeCode, undefined);
  });

  it('tries again every 10 s what is refused, and gets through when the device is known', async () => {
    const bench = await GatewayBench.start();
    const path = STREAMS.replace('pump', 'later');
    await assert.rejects(bench.socket(path), /refused with 404/);
    await assert.rejects(bench.socket(STREAMS, { token: 'undefined' }), /refused with 401/);
    const body = { device: 'later', credentials: 'secret' };
    await bench.post('/v1/users/anna/devices', body);
    const socket = await bench.socket(path);
    socket.send(start('temp', 5));
    await bench.device(TEMP, { device: 'later' });
    await bench.until(() => socket.frames.length === 1);
  });

  it('is closed over a frame that it did not mean, and not left open and dead', async () => {
    const bench = await GatewayBench.start();
    for (const frame of ['{', '[]', '{"interval":1}', '{"resource":5}', Buffer.from([0xff])]) {
      const socket = await bench.socket(STREAMS);
      socket.send(frame);
      await bench.until(() => socket.closeCode !== undefined);
      assert.equal(socket.frames.length, 0);
    }
  });
});

describe('server-events', () => {
  /** Subscribes as the node does with what its dialog made. */
  async function subscribe(bench: GatewayBench, wanted: Record<string, string>): Promise<SocketClient> {
    const socket = await bench.socket(EVENTS);
    socket.send(wanted);
    await socket.synced();
    return socket;
  }

  it('takes asset, event and filters as its editor makes them', async () => {
    const bench = await GatewayBench.start();
    const sockets = {
      all: await subscribe(bench, { event: '.*' }),
      devices: await subscribe(bench, { event: 'device_.*' }),
      pump: await subscribe(bench, { device: 'pump', event: 'device_state_change', state: 'disconnected' }),
      any: await subscribe(bench, { device: 'pu.*', event: 'device_.*' }),
      other: await subscribe(bench, { device: 'lamp', event: 'device_.*' }),
      part: await subscribe(bench, { device: 'pu', event: 'device_state_change' }),
    };
    const device = await bench.device();
    device.wire.cut();
    await bench.until(() => sockets.all.frames.length === 2 && sockets.pump.frames.length === 1);
    for (const socket of Object.values(sockets)) await socket.synced();
    const counts = Object.entries(sockets).map(([name, { frames }]) => [name, frames.length]);
    assert.deepEqual(Object.fromEntries(counts), { all: 2, devices: 2, pump: 1, any: 2, other: 0, part: 0 });
    for (const event of sockets.all.messages) {
      assert.equal(event.event, 'device_state_change');
      assert.equal(event.user, 'anna');
      assert.equal(typeof event.ts, 'number');
    }
  });

  it('hears of all that happens to its assets', async () => {
    const bench = await GatewayBench.start();
    const socket = await subscribe(bench, { event: '.*' });
    await bench.post('/v1/users/anna/buckets', { bucket: 'log', config: { source: 'api' } });
    await bench.post('/v1/users/anna/buckets/log/data', { t: 1 });
    await bench.post('/v1/users/anna/devices', { type: 'HTTP', device: 'hook', name: 'Hook' });
    await bench.post('/v3/users/anna/devices/hook/properties', { property: 'p', value: 1 });
    await bench.post('/v3/users/anna/devices/hook/callback/data', { a: 1 });
    bench.services.endpoints.host('alert', () => 'done');
    await bench.post('/v1/users/anna/endpoints/alert/call', { level: 1 });
    await bench.ask('DELETE', '/v1/users/anna/devices/hook');
    const names = [
      'bucket_create',
      'bucket_write',
      'device_create',
      'device_property_update',
      'device_callback_call',
      'endpoint_call',
      'endpoint_call_response',
      'device_delete',
    ];
    await bench.until(() => names.every((name) => socket.messages.some(({ event }) => event === name)));
    const made = socket.messages.find(({ event }) => event === 'device_create');
    assert.deepEqual([made?.device, made?.name, made?.enabled], ['hook', 'Hook', true]);
    const written = socket.messages.find(({ event }) => event === 'bucket_write');
    assert.deepEqual([written?.bucket, written?.data], ['log', { t: 1 }]);
  });

  it('gets nothing that is no JSON, and no word before the first event', async () => {
    const bench = await GatewayBench.start();
    const socket = await subscribe(bench, { event: 'device_.*', device: '' });
    await bench.broker.clock.advance(90_000);
    await socket.synced();
    assert.equal(socket.frames.length, 0);
    assert.equal(socket.closeCode, undefined);
    await bench.device();
    await bench.until(() => socket.frames.length === 1);
    assert.equal(typeof socket.messages[0], 'object');
  });

  it('closes with 1000, and may come back as often as it likes', async () => {
    const bench = await GatewayBench.start();
    const before = bench.server.events.size;
    for (let round = 0; round < 5; round++) {
      const socket = await subscribe(bench, { event: '.*' });
      socket.webSocket.close(1000);
      await bench.until(() => socket.closeCode !== undefined);
      assert.equal(socket.closeCode, 1000);
    }
    await bench.until(() => bench.server.events.size === before);
  });

  it('is refused with a status that its retries can live with', async () => {
    const bench = await GatewayBench.start();
    await assert.rejects(bench.socket(EVENTS, { token: 'undefined' }), /refused with 401/);
    await assert.rejects(bench.socket(EVENTS, { token: await bench.tokenOf('bert') }), /refused with 403/);
    await bench.gateway.createToken('anna', 'all', {});
    await assert.rejects(bench.socket(EVENTS), /refused with 401/, 'revoked');
  });
});
