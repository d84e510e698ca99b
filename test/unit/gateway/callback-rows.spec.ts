import assert from 'node:assert/strict';
import { it } from 'mocha';
import type { ServerEvent } from '../../../src';
import { describeStores } from '../store/support/stores';
import { GatewayBench } from './support/gateway-bench';

const HOOK = '/v3/users/anna/devices/hook';
const ROWS = '/v1/users/anna/buckets/log/data';
const HOUR = 3_600_000;

/** A device whose data goes to a bucket, and the events of the server. */
async function start(
  store: Parameters<typeof GatewayBench.start>[0],
): Promise<[GatewayBench, ServerEvent[]]> {
  const bench = await GatewayBench.start(store);
  const events: ServerEvent[] = [];
  bench.server.events.listen((event) => events.push(event));
  await bench.post('/v1/users/anna/devices', { device: 'hook', type: 'HTTP' });
  await bench.post('/v1/users/anna/buckets', { bucket: 'log', retention: { period: 30, unit: 'days' } });
  await bench.ask('PUT', `${HOOK}/callback`, { body: { actions: { write_bucket: 'log' } } });
  return [bench, events];
}

describeStores('rows of callbacks', (open) => {
  it('have the time that is given, where it is usable', async () => {
    const [bench, events] = await start({ store: await open() });
    const ts = Date.now() - HOUR;
    assert.equal((await bench.post(`${HOOK}/callback/data?ts=${ts}`, { t: 1, ts: 5 })).status, 200);
    assert.deepEqual((await bench.get(ROWS)).body, [{ device: 'hook', ts, val: { t: 1, ts: 5 } }]);
    assert.deepEqual(
      events.filter(({ event }) => event === 'device_time_replaced'),
      [],
    );
  });

  it('have the time of the server in place of one that cannot be meant, and an event says so', async () => {
    const [bench, events] = await start({ store: await open() });
    const before = Date.now();
    const given = [3723, Math.floor(before / 1000), before + 25 * HOUR];
    for (const ts of given) {
      assert.equal((await bench.post(`${HOOK}/callback/data?ts=${ts}`, { t: 1 })).status, 200);
    }
    const rows = (await bench.get(ROWS)).body as { ts: number }[];
    assert.equal(rows.length, 3);
    for (const { ts } of rows) assert.ok(ts >= before && ts <= Date.now() + 10);
    const told = events.filter(({ event }) => event === 'device_time_replaced');
    assert.deepEqual(
      told.map((event) => [event.device, event.given]),
      given.map((ts) => ['hook', ts]),
    );
    assert.match(JSON.stringify(told[0]?.reason), /before the year 2000/);
    assert.match(JSON.stringify(told[2]?.reason), /a day ahead/);
    const calls = events.filter(({ event }) => event === 'device_callback_call');
    for (const { ts } of calls) assert.ok(ts >= before);
  });

  it('are refused where the retention does not keep them, and an event says so', async () => {
    const [bench, events] = await start({ store: await open() });
    const old = Date.now() - 31 * 24 * HOUR;
    assert.equal((await bench.post(`${HOOK}/callback/data?ts=${old}`, { t: 1 })).status, 400);
    assert.deepEqual((await bench.get(ROWS)).body, []);
    const [refused] = events.filter(({ event }) => event === 'bucket_write_refused');
    assert.deepEqual([refused?.bucket, refused?.device, refused?.statusCode], ['log', 'hook', 400]);
    assert.match(JSON.stringify(refused?.reason), /older than the retention/);
  });
});
