import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'mocha';
import type { ServerEvent } from '../../../src/broker/event-feed';
import { cleanUp } from '../../support/clean-up';
import { GatewayBench } from './support/gateway-bench';

const DEVICES = '/v1/users/anna/devices';
const HOOK = '/v3/users/anna/devices/hook/callback';
const MINUTE = 60_000;

interface Bench {
  readonly bench: GatewayBench;
  /** `connected`, `disconnected` of the hook. */
  readonly states: ServerEvent[];
}

async function withHook(timeout?: number): Promise<Bench> {
  const bench = await GatewayBench.start();
  const states: ServerEvent[] = [];
  bench.server.events.listen((event) => {
    if (event.event === 'device_state_change') states.push(event);
  });
  await bench.post(DEVICES, { device: 'hook', type: 'HTTP' });
  if (timeout !== undefined) await bench.ask('PUT', HOOK, { body: { properties: { timeout } } });
  return { bench, states };
}

async function isActive(bench: GatewayBench, device = 'hook'): Promise<boolean> {
  const row = (await bench.get(`${DEVICES}/${device}`)).body as { connection: { active: boolean } };
  return row.connection.active;
}

describe('callback settings', () => {
  it('have a timeout; what is left out stays', async () => {
    const { bench } = await withHook();
    const none = { write_bucket: '', call_endpoint: '', set_property: '', send_property: '' };
    const actions = { ...none, set_property: 'p' };
    assert.deepEqual((await bench.get(HOOK)).body, { actions: none, properties: { timeout: 0 } });
    await bench.ask('PUT', HOOK, { body: { actions: { set_property: 'p' } } });
    const body = { properties: { timeout: 2.5 } };
    const put = await bench.ask('PUT', HOOK, { body });
    assert.deepEqual(put.body, { actions, properties: { timeout: 2.5 } });
    await bench.ask('PUT', HOOK, { body: { actions: {} } });
    assert.deepEqual((await bench.get(HOOK)).body, { actions: none, properties: { timeout: 2.5 } });
  });

  it('are refused when they are not what they should be, or of others', async () => {
    const { bench } = await withHook(1);
    for (const body of [
      { properties: { timeout: -1 } },
      { properties: { timeout: '5' } },
      { properties: { timeout: 1e9 } },
      { properties: { timeout: null } },
      { properties: 5 },
      { actions: { write_bucket: 5 } },
      [],
    ]) {
      assert.equal((await bench.ask('PUT', HOOK, { body })).status, 400, JSON.stringify(body));
    }
    assert.deepEqual((await bench.get(HOOK)).body, {
      actions: { write_bucket: '', call_endpoint: '', set_property: '', send_property: '' },
      properties: { timeout: 1 },
    });
    const token = await bench.tokenOf('bert');
    assert.equal((await bench.ask('PUT', HOOK, { token, body: {} })).status, 403);
    assert.equal((await bench.post(`${HOOK}/data`, { t: 1 }, { token })).status, 403);
    assert.equal(await isActive(bench), false);
  });
});

describe('a device that speaks HTTP', () => {
  it('counts as connected from a callback until its timeout', async () => {
    const { bench, states } = await withHook(2);
    const { clock } = bench.broker;
    assert.equal(await isActive(bench), false);
    await bench.post(`${HOOK}/data?ip=192.0.2.7`, { t: 1 });
    assert.equal(await isActive(bench), true);
    const stats = (await bench.get(`${DEVICES}/hook/stats`)).body as Record<string, unknown>;
    assert.deepEqual([stats.connected, stats.ip_address], [true, '192.0.2.7']);
    assert.ok(Number(stats.connected_ts) > 0);
    assert.deepEqual((await bench.get('/v1/users/anna/info/devices/stats')).body, {
      total: 3,
      connected: 1,
      disconnected: 2,
    });
    await clock.advance(2 * MINUTE - 1);
    await bench.get(`${HOOK}/data?t=2&ip=nonsense`);
    await clock.advance(2 * MINUTE - 1);
    assert.equal(await isActive(bench), true, 'the second callback counts');
    await clock.advance(1000);
    assert.equal(await isActive(bench), false);
    const { connected } = (await bench.get(`${DEVICES}/hook/stats`)).body as { connected: boolean };
    assert.equal(connected, false);
    assert.deepEqual(
      states.map(({ user, device, state, address }) => [user, device, state, address]),
      [
        ['anna', 'hook', 'connected', '192.0.2.7'],
        ['anna', 'hook', 'disconnected', '127.0.0.1'],
      ],
    );
    await bench.post(`${HOOK}/data`, { t: 3 });
    assert.equal(states.at(-1)?.state, 'connected');
  });

  it('is followed by event streams', async () => {
    const { bench } = await withHook(1);
    const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${bench.token}` };
    const request = http.get({ port: bench.port, path: `${DEVICES}/hook/stats`, headers, agent: false });
    cleanUp(() => request.destroy());
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await bench.post(`${HOOK}/data`, {});
    await bench.broker.clock.advance(1000);
    await bench.until(() => text.includes('"connected":true'));
  });

  it('goes with its device and its user, and with a shorter timeout', async () => {
    const { bench, states } = await withHook(60);
    const here = async (): Promise<void> => {
      await bench.post(`${HOOK}/data`, 1);
      assert.equal(states.at(-1)?.state, 'connected');
    };
    const gone = (): void => assert.equal(states.at(-1)?.state, 'disconnected');
    await here();
    await bench.broker.clock.advance(5 * MINUTE);
    await bench.ask('PUT', HOOK, { body: { properties: { timeout: 4 } } });
    await bench.broker.clock.advance(1000);
    gone();
    await here();
    await bench.ask('PUT', '/v1/users/anna', {
      token: await bench.tokenOf('root'),
      body: { enabled: false },
    });
    gone();
    await bench.ask('PUT', '/v1/users/anna', {
      token: await bench.tokenOf('root'),
      body: { enabled: true },
    });
    await here();
    await bench.ask('DELETE', `${DEVICES}/hook`);
    gone();
    const told = states.length;
    await bench.broker.clock.advance(60 * MINUTE);
    assert.equal(states.length, told);
  });

  it('that is of another type, or has no timeout, does not count so', async () => {
    const { bench, states } = await withHook(0);
    await bench.post(DEVICES, { device: 'valve', credentials: 'turn-turn' });
    const valve = '/v3/users/anna/devices/valve/callback';
    await bench.ask('PUT', valve, { body: { properties: { timeout: 5 } } });
    for (const path of [HOOK, valve]) assert.equal((await bench.post(`${path}/data`, 1)).status, 200);
    assert.deepEqual([await isActive(bench), await isActive(bench, 'valve')], [false, false]);
    assert.deepEqual(states, []);
  });

  it('is found gone with many others at one look', async () => {
    const { bench, states } = await withHook(1);
    const { clock } = bench.broker;
    for (let index = 0; index < 20; index++) {
      await bench.post(DEVICES, { device: `d${index}`, type: 'HTTP' });
      const path = `/v3/users/anna/devices/d${index}/callback`;
      await bench.ask('PUT', path, { body: { properties: { timeout: 1 } } });
      await bench.post(`${path}/data`, 1);
      await clock.advance(10);
    }
    // One for all of these, and one to write down when devices were seen.
    assert.equal(clock.pending, 2);
    await clock.advance(MINUTE + 1000);
    assert.equal(states.filter(({ state }) => state === 'disconnected').length, 20);
    assert.equal(clock.pending, 0);
  });
});
