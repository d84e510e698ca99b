import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { gatewayLimits } from '../../../src/gateway/limits/gateway-limits';
import { errorOf, GatewayBench } from './support/gateway-bench';

const DEVICES = '/v1/users/anna/devices';
const STREAMS = '/v3/users/anna/devices/pump/resources';

describe('limits of the gateway', () => {
  it('are numbers above 0', () => {
    assert.throws(() => gatewayLimits({ maxBodyBytes: 0 }), {
      code: 'IOTMP_ERR_CONFIG',
      message: /maxBodyBytes/,
    });
    assert.throws(() => gatewayLimits({ socketsPerToken: NaN }), { code: 'IOTMP_ERR_CONFIG' });
  });

  it('bound the requests of a token, and leave other tokens alone', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1, requestBurst: 3 } });
    for (let count = 0; count < 3; count++) assert.equal((await bench.get(DEVICES)).status, 200);
    const refused = await bench.get(DEVICES);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '1');
    assert.match(errorOf(refused) ?? '', /too many requests/);
    assert.equal((await bench.get(DEVICES, { token: await bench.tokenOf('anna') })).status, 200);
    await bench.broker.clock.advance(1000);
    assert.equal((await bench.get(DEVICES)).status, 200);
    assert.equal((await bench.get(DEVICES)).status, 429);
  });

  it('bound guesses of tokens and of passwords by address', async () => {
    const bench = await GatewayBench.start({
      limits: { requestBurst: 5, requestsPerSecond: 1, loginsPerMinute: 2 },
    });
    const wrong = async (): Promise<number> => (await bench.get(DEVICES, { token: 'wrong' })).status;
    const guesses = [
      await wrong(),
      await wrong(),
      await wrong(),
      await wrong(),
      await wrong(),
      await wrong(),
    ];
    assert.deepEqual(guesses, [401, 401, 401, 401, 401, 429]);
    await bench.broker.clock.advance(60_000);
    const login = async (): Promise<number> =>
      (await bench.post('/oauth/token', { grant_type: 'password', username: 'anna', password: 'no' })).status;
    assert.deepEqual([await login(), await login(), await login()], [401, 401, 429]);
  });

  it('bound the sockets and event streams of a token, until they are closed', async () => {
    const bench = await GatewayBench.start({ limits: { socketsPerToken: 2 } });
    const socket = await bench.socket(STREAMS);
    const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${bench.token}` };
    const request = http.get({ port: bench.port, path: `${DEVICES}/pump/stats`, headers, agent: false });
    request.on('error', () => undefined);
    await once(request, 'response');
    await assert.rejects(bench.socket(STREAMS), /503/);
    assert.equal((await bench.get(`${DEVICES}/pump/stats`, { headers })).status, 503);
    await bench.socket(STREAMS, { token: await bench.tokenOf('anna') });
    request.destroy();
    socket.webSocket.close();
    await bench.until(() => socket.closeCode !== undefined);
    await bench.until(() => / 1$/m.test(bench.metric('iotmp_sockets_open')));
    await bench.socket(STREAMS);
  });

  it('bound the streams in a socket', async () => {
    const bench = await GatewayBench.start({ limits: { streamsPerSocket: 2 } });
    const socket = await bench.socket(STREAMS);
    for (const resource of ['a', 'b', 'a', 'c']) socket.send({ resource });
    await bench.until(() => socket.closeCode !== undefined);
    assert.equal(socket.closeCode, 1008);
  });

  it('leave samples out for a slow reader, and cut off one that reads nothing', async () => {
    const bench = await GatewayBench.start({
      limits: { maxBufferedBytes: 100_000, drainTimeoutMs: 5000 },
    });
    const device = await bench.device({ temp: { fn: 3, run: () => 'x'.repeat(20_000) } });
    const slow = await bench.socket(STREAMS);
    const quick = await bench.socket(STREAMS);
    for (const socket of [slow, quick]) socket.send({ resource: 'temp' });
    await bench.until(() => slow.frames.length === 1 && quick.frames.length === 1);
    const [id = 0] = device.streams.keys();
    slow.webSocket.pause();
    const dropped = (): number => Number(/ (\d+)$/m.exec(bench.metric('iotmp_samples_dropped_total'))?.[1]);
    let sent = 1;
    while (dropped() === 0) {
      assert.ok(sent < 5000, 'samples are never left out');
      device.sample(id, 'y'.repeat(20_000));
      sent++;
      await bench.until(() => quick.frames.length === sent);
    }
    await bench.broker.clock.advance(5000);
    slow.webSocket.resume();
    await bench.until(() => slow.closeCode !== undefined);
    assert.equal(slow.closeCode, 1006);
    assert.equal(quick.closeCode, undefined);
  });

  it('cut off a client that does not answer pings', async () => {
    const bench = await GatewayBench.start();
    const socket = await bench.socket(STREAMS);
    const alive = await bench.socket(STREAMS);
    socket.webSocket.pause();
    await bench.broker.clock.advance(30_000);
    await alive.synced();
    await bench.broker.clock.advance(30_000);
    socket.webSocket.resume();
    await bench.until(() => socket.closeCode !== undefined);
    assert.equal(alive.closeCode, undefined);
  });

  it('bound the devices that a user makes', async () => {
    const bench = await GatewayBench.start({ limits: { devicesPerUser: 1 } });
    const make = async (device: string): Promise<number> =>
      (await bench.post(DEVICES, { device, credentials: 'secret' })).status;
    assert.equal(await make('a'), 200);
    assert.equal(await make('b'), 403);
  });
});
