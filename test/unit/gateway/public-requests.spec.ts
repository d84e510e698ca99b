import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import type { FakeClock } from '../support/fake-clock';
import { GatewayBench, type Ask } from './support/gateway-bench';

const LOGIN = { grant_type: 'password', username: 'anna' } as const;
const PASSWORD = 'annas password';
const STREAMS = '/v3/users/anna/devices/pump/resources';

function from(address: string): Ask {
  return { token: null, headers: { 'X-Forwarded-For': address } };
}

async function logIn(bench: GatewayBench, password: string, ask: Ask = { token: null }): Promise<number> {
  return (await bench.post('/oauth/token', { ...LOGIN, password }, ask)).status;
}

/** Moves the time on until the promise is settled. */
async function whileTimePasses<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  const state = { isOver: false };
  const noted = promise.finally(() => {
    state.isOver = true;
  });
  while (!state.isOver) await clock.advance(500);
  return noted;
}

/** A request without a token whose body does not come. */
async function hang(bench: GatewayBench, extra = ''): Promise<net.Socket> {
  const socket = net.connect(bench.port, '127.0.0.1');
  cleanUp(() => socket.destroy());
  socket.on('error', () => undefined);
  const { pending } = bench.broker.clock;
  socket.write(
    `POST /oauth/token HTTP/1.1\r\nHost: x\r\n${extra}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n`,
  );
  await bench.until(() => bench.broker.clock.pending > pending);
  return socket;
}

describe('requests without a token', () => {
  it('have few places of each address, which are free again when they are over', async () => {
    const bench = await GatewayBench.start({ limits: { publicRequestsPerAddress: 2 } });
    const [first] = [await hang(bench), await hang(bench)];
    assert.equal((await bench.get('/v1/server/version', { token: null })).status, 503);
    assert.equal((await bench.get('/v1/users/anna/devices')).status, 200, 'one with a token has its own');
    const { pending } = bench.broker.clock;
    first.destroy();
    await bench.until(() => bench.broker.clock.pending < pending);
    assert.equal((await bench.get('/v1/server/version', { token: null })).status, 200);
  });

  it('have places of the address that a trusted proxy names', async () => {
    const options = { limits: { publicRequestsPerAddress: 1 } };
    const bench = await GatewayBench.start(options, { trustedProxies: ['127.0.0.1'] });
    await hang(bench, 'X-Forwarded-For: 203.0.113.7\r\n');
    assert.equal((await bench.get('/v1/server/version', from('203.0.113.7'))).status, 503);
    assert.equal((await bench.get('/v1/server/version', from('203.0.113.8'))).status, 200);
  });
});

describe('logins with a password', () => {
  it('of the owner get in after strangers with forged addresses, without a trusted proxy', async () => {
    const bench = await GatewayBench.start();
    const { clock } = bench.broker;
    const strangers = Array.from({ length: 40 }, (_, i) => logIn(bench, 'wrong', from(`198.51.100.${i}`)));
    const over = whileTimePasses(clock, Promise.all(strangers));
    const statuses = await over;
    assert.ok(
      statuses.every((status) => [401, 429, 503].includes(status)),
      String(statuses),
    );
    assert.equal(await whileTimePasses(clock, logIn(bench, PASSWORD, from('203.0.113.7'))), 200);
  });

  it('wait for their turn for 5 s at most', async () => {
    const bench = await GatewayBench.start({ limits: { loginsPerMinute: 15 } });
    const { clock } = bench.broker;
    for (let i = 0; i < 15; i++) assert.equal(await logIn(bench, 'wrong'), 401);
    const { pending } = clock;
    const waiting = logIn(bench, PASSWORD);
    await bench.until(() => clock.pending > pending);
    assert.equal(await logIn(bench, PASSWORD), 429);
    await clock.advance(4_000);
    assert.equal(await waiting, 200);
  });

  it('of strangers behind a trusted proxy cost the owner nothing', async () => {
    const bench = await GatewayBench.start(
      { limits: { loginsPerMinute: 2 } },
      { trustedProxies: ['127.0.0.0/8'] },
    );
    for (let i = 0; i < 3; i++) {
      assert.equal(await logIn(bench, 'wrong', from('198.51.100.7')), i < 2 ? 401 : 429);
    }
    assert.equal(await logIn(bench, PASSWORD, from('203.0.113.7')), 200);
    assert.equal(
      await logIn(bench, 'wrong', from('203.0.113.7, 198.51.100.7')),
      429,
      'what a stranger forges',
    );
  });
});

describe('wrong tokens', () => {
  it('are limited by the address that a trusted proxy names', async () => {
    const limits = { requestsPerSecond: 1, requestBurst: 1 };
    const bench = await GatewayBench.start({ limits }, { trustedProxies: ['127.0.0.1'] });
    const guess = async (address: string): Promise<number> =>
      (await bench.get('/v1/users/anna/devices', { ...from(address), token: 'wrong' })).status;
    assert.deepEqual([await guess('198.51.100.7'), await guess('198.51.100.7')], [401, 429]);
    assert.equal(await guess('203.0.113.7'), 401);
  });
});

describe('a socket of the API', () => {
  it('is opened by pages that are allowed, of the server itself, and by whoever is no browser', async () => {
    const bench = await GatewayBench.start({ corsOrigins: ['https://app.example'] });
    const path = STREAMS;
    for (const origin of ['https://app.example', `http://127.0.0.1:${bench.port}`, undefined]) {
      const headers = origin === undefined ? {} : { Origin: origin };
      const socket = await bench.socket(path, { headers });
      socket.webSocket.close();
    }
    const proxied = { Origin: 'https://iot.example', 'X-Forwarded-Host': 'iot.example' };
    (await bench.socket(path, { headers: proxied })).webSocket.close();
    for (const origin of [
      'https://evil.example',
      'https://app.example.evil.example',
      'null',
      'x\ny'.replace('\n', ''),
    ]) {
      for (let i = 0; i < 2; i++) {
        await assert.rejects(bench.socket(path, { headers: { Origin: origin } }), /refused with 403/);
      }
    }
    assert.match(bench.metric('iotmp_sockets_refused_total'), /\{status="403"\} 8/);
    const told = bench.warnings.splice(0);
    assert.equal(told.length, 4);
    assert.equal(
      told[0],
      'pages of "https://evil.example" may not open WebSockets of the API: their origin is not allowed',
    );
  });

  it('tells of ten refused origins at most', async () => {
    const bench = await GatewayBench.start();
    for (let i = 0; i < 12; i++) {
      const headers = { Origin: `https://evil${i}.example` };
      await assert.rejects(bench.socket(STREAMS, { headers }), /refused with 403/);
    }
    assert.equal(bench.warnings.splice(0).length, 10);
  });
});
