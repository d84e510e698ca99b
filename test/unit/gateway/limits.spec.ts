import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'mocha';
import { gatewayLimits } from '../../../src/gateway/limits/gateway-limits';
import { cleanUp } from '../../support/clean-up';
import { errorOf, GatewayBench } from './support/gateway-bench';

const DEVICES = '/v1/users/anna/devices';
const STREAMS = '/v3/users/anna/devices/pump/resources';

/** Sends a request over the connections of an agent; resolves with the status of the answer. */
async function statusOf(bench: GatewayBench, agent: http.Agent): Promise<number> {
  const headers = { Authorization: `Bearer ${bench.token}` };
  const request = http.get({ port: bench.port, host: '127.0.0.1', path: DEVICES, headers, agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode ?? 0;
}

describe('limits of the gateway', () => {
  it('are numbers above 0', () => {
    assert.throws(() => gatewayLimits({ maxBodyBytes: 0 }), {
      code: 'IOTMP_ERR_CONFIG',
      message: /maxBodyBytes/,
    });
    assert.throws(() => gatewayLimits({ socketsPerToken: NaN }), { code: 'IOTMP_ERR_CONFIG' });
  });

  it('make a token wait up to 5 s for its turn, refuse what comes later, and leave other tokens alone', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1, requestBurst: 3 } });
    const { clock } = bench.broker;
    for (let count = 0; count < 3; count++) assert.equal((await bench.get(DEVICES)).status, 200);
    const begin = clock.now();
    const waits: number[] = [];
    const waiting = Array.from({ length: 5 }, async () => {
      assert.equal((await bench.get(DEVICES)).status, 200);
      waits.push(clock.now() - begin);
    });
    await bench.until(() => clock.pending >= 5);
    const refused = await bench.get(DEVICES);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '6');
    assert.match(errorOf(refused) ?? '', /too many requests/);
    assert.equal((await bench.get(DEVICES, { token: await bench.tokenOf('anna') })).status, 200);
    await bench.broker.advanceUntil(() => waits.length === 5, 100);
    await Promise.all(waiting);
    assert.deepEqual(
      waits.map((ms) => Math.round(ms / 1000)),
      [1, 2, 3, 4, 5],
    );
  });

  it('let at most 1,000 requests of a token wait', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1000, requestBurst: 1 } });
    const agent = new http.Agent({ keepAlive: true });
    cleanUp(() => agent.destroy());
    assert.equal((await bench.get(DEVICES)).status, 200);
    const statuses: number[] = [];
    const all = Array.from({ length: 1010 }, async () => statuses.push(await statusOf(bench, agent)));
    await bench.until(() => statuses.length === 10);
    assert.deepEqual(new Set(statuses), new Set([429]));
    await bench.broker.advanceUntil(() => statuses.length === 1010, 100);
    await Promise.all(all);
    assert.equal(statuses.filter((status) => status === 200).length, 1000);
  });

  for (const connections of [1, 50]) {
    it(`lose none of 3,000 requests that come at once over ${connections} connections`, async () => {
      const bench = await GatewayBench.start();
      const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
      cleanUp(() => agent.destroy());
      const statuses: number[] = [];
      const all = Array.from({ length: 3000 }, async () => statuses.push(await statusOf(bench, agent)));
      await bench.broker.advanceUntil(() => statuses.length === 3000, 50);
      await Promise.all(all);
      assert.deepEqual(new Set(statuses), new Set([200]));
    });
  }

  it('lose none of 3,000 requests in one piece, and read no more of them than there is room for', async () => {
    const bench = await GatewayBench.start();
    const socket = net.connect(bench.port, '127.0.0.1');
    cleanUp(() => socket.destroy());
    await once(socket, 'connect');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    const answers = (): number => text.split('HTTP/1.1 200 ').length - 1;
    const request = `GET ${DEVICES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\n\r\n`;
    socket.write(request.repeat(3000));
    // Those that the last turns at once are given to may not be the first ones.
    await bench.until(() => answers() >= 950);
    // What came in one read waits, with a timer each; the rest is in the socket.
    assert.ok(bench.broker.clock.pending < 900, `${bench.broker.clock.pending} wait`);
    await bench.broker.advanceUntil(() => answers() === 3000, 50);
    assert.doesNotMatch(text, /HTTP\/1\.1 [345]/);
  });

  it('hold nothing for a client that goes away, or when the gateway is closed', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1, requestBurst: 1 } });
    const { clock } = bench.broker;
    assert.equal((await bench.get(DEVICES)).status, 200);
    const before = clock.pending;
    const headers = { Authorization: `Bearer ${bench.token}` };
    const refused = bench.get(DEVICES);
    await bench.until(() => clock.pending === before + 1);
    const request = http.get({ port: bench.port, path: DEVICES, headers, agent: false });
    const gone = once(request, 'error');
    await bench.until(() => clock.pending === before + 2);
    request.destroy();
    await gone;
    await bench.gateway.close();
    assert.equal((await refused).status, 503);
    await bench.until(() => clock.pending === 0);
  });

  it('that make a request wait do not keep a token alive that is revoked meanwhile', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1, requestBurst: 1 } });
    const { clock } = bench.broker;
    const token = await bench.gateway.createToken('anna', 'short', { allow: { '*': { '*': '*' } } });
    assert.equal((await bench.get(DEVICES, { token })).status, 200);
    const before = clock.pending;
    const late = bench.get(DEVICES, { token });
    await bench.until(() => clock.pending === before + 1);
    assert.equal((await bench.ask('DELETE', '/v1/users/anna/tokens/short')).status, 200);
    await clock.advance(1000);
    assert.equal((await late).status, 401);
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
