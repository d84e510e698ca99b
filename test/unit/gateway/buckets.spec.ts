import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores } from '../store/support/stores';
import { errorOf, GatewayBench, type Answer } from './support/gateway-bench';

const BUCKETS = '/v1/users/anna/buckets';
const DATA = `${BUCKETS}/log/data`;
const V2 = '/v2/users/anna/buckets/log/data';
const HOUR = 3_600_000;
/** Some day: rows of long ago are refused. */
const DAY = Date.UTC(2026, 0, 5);

/** Rows 1 to `count`, one an hour. */
async function filled(
  bench: GatewayBench,
  count: number,
  settings: Record<string, unknown> = {},
): Promise<void> {
  assert.equal((await bench.post(BUCKETS, { bucket: 'log', ...settings })).status, 200);
  const rows = Array.from({ length: count }, (_, index) => ({
    ts: DAY + (index + 1) * HOUR,
    n: index + 1,
    room: index % 2 === 0 ? 'even' : 'odd',
  }));
  const answer = await bench.post(DATA, rows);
  assert.deepEqual([answer.status, answer.headers['content-length']], [200, '0']);
}

function numbers({ body }: Answer): unknown[] {
  return (body as { n: unknown }[]).map(({ n }) => n);
}

describeStores('buckets over the API', (open) => {
  it('are made, listed, read, changed and deleted', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    assert.equal((await bench.get(`${BUCKETS}/log`)).status, 404);
    const made = await bench.post(BUCKETS, { bucket: 'log', name: 'Log', config: { source: 'api' } });
    assert.equal(made.status, 200);
    const { created: _, modified: __, ...document } = made.body as Record<string, unknown>;
    assert.deepEqual(document, {
      bucket: 'log',
      user: 'anna',
      name: 'Log',
      description: '',
      enabled: true,
      project: [],
      config: { source: 'api' },
      rows: 0,
    });
    assert.equal((await bench.post(BUCKETS, { bucket: 'log' })).status, 409);
    const put = await bench.ask('PUT', `${BUCKETS}/log`, { body: { description: 'of all' } });
    assert.equal((put.body as { description: string }).description, 'of all');
    assert.equal((await bench.ask('PUT', `${BUCKETS}/log/projects`, { body: ['green'] })).status, 200);
    const [row] = (await bench.get(`${BUCKETS}?name=lo&project=green`)).body as { project: unknown }[];
    assert.deepEqual(row?.project, ['anna@green']);
    assert.equal((await bench.ask('DELETE', `${BUCKETS}/log`)).status, 200);
    assert.equal((await bench.ask('DELETE', `${BUCKETS}/log`)).status, 404);
    assert.equal((await bench.ask('PUT', `${BUCKETS}/log`, { body: {} })).status, 404);
  });

  it('keep what they know themselves: settings of the same names are left out', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const own = { user: 'bert', rows: 7, created: 1, modified: 1 };
    assert.equal((await bench.post(BUCKETS, { bucket: 'log', name: 'Log', ...own })).status, 200);
    await bench.ask('PUT', `${BUCKETS}/log`, { body: { ...own, bucket: 'other', description: 'all' } });
    const { settings } = (await bench.services.buckets.get({ user: 'anna', bucket: 'log' }))!;
    for (const name of ['bucket', ...Object.keys(own)]) assert.ok(!Object.hasOwn(settings, name), name);
    assert.deepEqual([settings.name, settings.description], ['Log', 'all']);
  });

  it('take rows one by one and in lists, with and without a time', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await bench.post(BUCKETS, { bucket: 'log' });
    const before = Date.now();
    assert.equal((await bench.post(DATA, { n: 1 })).status, 200);
    assert.equal((await bench.post(DATA, { n: 2, ts: DAY })).status, 200);
    assert.equal((await bench.post(DATA, { n: 3, ts: DAY })).status, 200, 'takes the place of the other');
    const rows = (await bench.get(DATA)).body as { ts: number; val: unknown }[];
    assert.deepEqual(
      rows.map(({ val }) => val),
      [{ n: 1 }, { n: 3 }],
    );
    assert.ok(rows[0]!.ts >= before);
    assert.equal((await bench.ask('DELETE', DATA)).status, 200);
    assert.deepEqual((await bench.get(DATA)).body, []);
  });

  it('give rows in both shapes, by range, order, number and field', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 5);
    assert.deepEqual((await bench.get(`${DATA}?items=1&sort=asc`)).body, [
      { ts: DAY + HOUR, val: { n: 1, room: 'even' } },
    ]);
    assert.deepEqual((await bench.get(`${V2}?items=1`)).body, [{ ts: DAY + 5 * HOUR, n: 5, room: 'even' }]);
    const asked = async (query: string): Promise<unknown[]> => numbers(await bench.get(`${V2}?${query}`));
    assert.deepEqual(await asked(`sort=asc&min_ts=${DAY + 2 * HOUR}&max_ts=${DAY + 4 * HOUR}`), [2, 3, 4]);
    assert.deepEqual(await asked('sort=asc&min_ts=0&max_ts=0'), [1, 2, 3, 4, 5]);
    assert.deepEqual((await bench.get(`${V2}?fields=n&items=1`)).body, [{ ts: DAY + 5 * HOUR, n: 5 }]);
  });

  it('give pages inside the window of items, so that every way of paging ends', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 7);
    const asked = async (query: string): Promise<unknown[]> => numbers(await bench.get(`${V2}?${query}`));
    assert.deepEqual(await asked('sort=asc&items=5&count=3&index=0'), [1, 2, 3]);
    assert.deepEqual(await asked('sort=asc&items=5&count=3&index=3'), [4, 5]);
    assert.deepEqual(await asked('sort=asc&items=5&count=5&index=5'), []);
    assert.deepEqual(await asked('sort=asc&items=3&count=100&index=100'), []);
  });

  it('put rows together by time, with the name of the function in v1', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 4);
    const query = 'agg=3h&agg_type=max&sort=asc';
    assert.deepEqual((await bench.get(`${DATA}?${query}`)).body, [
      { ts: DAY, max: { n: 2 } },
      { ts: DAY + 3 * HOUR, max: { n: 4 } },
    ]);
    const flat = (await bench.get(`${V2}?agg=1d&agg_type=avg`)).body;
    assert.deepEqual(flat, [{ ts: DAY, n: 2.5 }]);
    assert.deepEqual(numbers(await bench.get(`${V2}?sort=asc&fields=n&transform=difference`)), [1, 1, 1]);
  });

  it('give so many spans of each device, where both are asked for', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const key = { user: 'anna', bucket: 'log' };
    const rows = Array.from({ length: 60 }, (_, minute) =>
      ['a', 'b', 'c'].map((device) => ({ ts: DAY + minute * 60_000, device, value: { n: minute } })),
    ).flat();
    const rare = { ts: DAY, device: 'rare', value: { n: 1 } };
    await bench.services.buckets.write(key, [rare, ...rows], { create: true });
    const query = 'agg=1m&agg_type=avg&group_by=device&fields=n&items=10';
    const found = (await bench.get(`${V2}?${query}`)).body as { ts: number; device: string; n: number }[];
    const perDevice = Map.groupBy(found, ({ device }) => device);
    assert.deepEqual([...perDevice].map(([device, { length }]) => [device, length]).sort(), [
      ['a', 10],
      ['b', 10],
      ['c', 10],
      ['rare', 1],
    ]);
    assert.deepEqual(
      perDevice.get('b')?.map(({ n }) => n),
      [59, 58, 57, 56, 55, 54, 53, 52, 51, 50],
    );
    assert.equal(found[0]?.ts, DAY + 59 * 60_000);
    assert.equal(((await bench.get(`${V2}?agg=1m&group_by=device`)).body as unknown[]).length, 181);
  });

  it('say who wrote a row, and when, whatever its members are named', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const key = { user: 'anna', bucket: 'log' };
    const value = { ts: 3723, device: 'x', n: 1 };
    await bench.services.buckets.write(key, [{ ts: DAY, device: 'pump', value }], { create: true });
    assert.deepEqual((await bench.get(V2)).body, [
      { ts: DAY, device: 'pump', _ts: 3723, _device: 'x', n: 1 },
    ]);
    assert.deepEqual((await bench.get(DATA)).body, [{ ts: DAY, device: 'pump', val: value }]);
    assert.deepEqual((await bench.get(`${V2}?agg=1d&agg_type=max&sort=asc`)).body, [
      { ts: DAY, _ts: 3723, n: 1 },
    ]);
    const grouped = (await bench.get(`${V2}?agg=1d&group_by=device`)).body;
    assert.deepEqual(grouped, [{ ts: DAY, device: 'pump', _ts: 3723, n: 1 }]);
  });

  it('name members with dots the same in every answer', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await bench.post(BUCKETS, { bucket: 'log' });
    const row = { '1-0:1.8.1': 1234.5, 'temp.in': 20, at: { lat: 1.5 } };
    await bench.post(DATA, { ts: DAY, ...row });
    for (const query of ['', 'agg=1h&agg_type=max', 'transform=abs', 'fields=1-0:1.8.1,temp.in,at.lat']) {
      assert.deepEqual((await bench.get(`${V2}?${query}`)).body, [{ ts: DAY, ...row }], query);
    }
  });

  it('choose rows by tags and devices, and tell the values of both', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 4, { tags: ['room'] });
    const key = { user: 'anna', bucket: 'log' };
    await bench.services.buckets.write(key, [
      { ts: DAY + 9 * HOUR, device: 'pump', value: { n: 9 } },
      { ts: DAY + 8 * HOUR, device: 'pump', value: { n: 8 } },
      { ts: DAY + 7 * HOUR, device: 'lamp', value: { n: 7 } },
    ]);
    assert.deepEqual(numbers(await bench.get(`${V2}?room=odd&sort=asc`)), [2, 4]);
    assert.deepEqual(numbers(await bench.get(`${V2}?room=odd&room=even`)).length, 4);
    assert.deepEqual(numbers(await bench.get(`${V2}?device=pump`)), [9, 8]);
    assert.deepEqual((await bench.get('/v3/users/anna/devices/lamp/buckets/log/data')).body, [
      { ts: DAY + 7 * HOUR, device: 'lamp', n: 7 },
    ]);
    const latest = numbers(await bench.get(`${V2}?group_by=device&items=1&min_ts=${DAY + 6 * HOUR}`));
    assert.deepEqual(latest.sort(), [7, 9]);
    assert.deepEqual((await bench.get(`${BUCKETS}/log/tags`)).body, ['room']);
    assert.deepEqual((await bench.get(`${BUCKETS}/log/tags/room`)).body, ['even', 'odd']);
    assert.deepEqual((await bench.get(`${BUCKETS}/log/tags/device`)).body, ['lamp', 'pump']);
  });

  it('refuse rows of times that cannot be meant, and of times that the retention does not keep', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await bench.post(BUCKETS, { bucket: 'log', retention: { period: 30, unit: 'days' } });
    const now = Date.now();
    const times: [ts: number, status: number, reason: RegExp | undefined][] = [
      [3723, 400, /before the year 2000/],
      [Math.floor(now / 1000), 400, /before the year 2000/],
      [2 * now, 400, /more than a day ahead/],
      [now + 25 * HOUR, 400, /more than a day ahead/],
      [now - 31 * 24 * HOUR, 400, /older than the retention/],
      [now - 29 * 24 * HOUR, 200, undefined],
      [now + 23 * HOUR, 200, undefined],
    ];
    for (const [ts, status, reason] of times) {
      const answer = await bench.post(DATA, { ts, n: 1 });
      assert.equal(answer.status, status, String(ts));
      if (reason !== undefined) assert.match(errorOf(answer) ?? '', reason);
    }
    assert.equal(
      (
        await bench.post(DATA, [
          { ts: now, n: 1 },
          { ts: 1, n: 2 },
        ])
      ).status,
      400,
      'all or none',
    );
    assert.equal(((await bench.get(DATA)).body as unknown[]).length, 2);
  });

  it('choose a range that is given in s, too', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 5);
    const from = (DAY + 2 * HOUR) / 1000;
    const found = await bench.get(`${V2}?sort=asc&min_ts=${from}&max_ts=${from + 7200}`);
    assert.deepEqual(numbers(found), [2, 3, 4]);
  });

  it('refuse what is not usable', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 1);
    for (const body of [{ bucket: 'a b' }, {}, [], { bucket: 'x', config: 5 }, { bucket: 'x', tags: 'a' }]) {
      assert.equal((await bench.post(BUCKETS, body)).status, 400, JSON.stringify(body));
    }
    const source = { bucket: 'x', config: { source: 'device', device: 'pump', resource: 't', interval: 0 } };
    assert.equal((await bench.post(BUCKETS, source)).status, 400);
    for (const body of [
      5,
      'x',
      null,
      {},
      [1],
      [{}],
      { ts: 1 },
      { ts: 'x', n: 1 },
      { ts: -1, n: 1 },
      { ts: 1e17, n: 1 },
    ]) {
      assert.equal((await bench.post(DATA, body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await bench.ask('POST', DATA, { raw: '{"n":' })).status, 400);
    assert.equal((await bench.post(`${BUCKETS}/none/data`, { n: 1 })).status, 404);
    assert.equal((await bench.get(`${BUCKETS}/none/data`)).status, 404);
    for (const query of [
      'items=x',
      'min_ts=-1',
      'sort=up',
      'agg=2h',
      'agg=1h&agg_type=x',
      'transform=x',
      'group_by=x',
    ]) {
      assert.equal((await bench.get(`${DATA}?${query}`)).status, 400, query);
    }
    assert.equal((await bench.get(`${DATA}?agg=1h&tz=Nowhere/None`)).status, 400);
  });

  it('show each token only what it allows', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench, 1);
    await bench.post(BUCKETS, { bucket: 'other' });
    const token = await bench.tokenOf('anna', { Bucket: { log: ['ReadBucket', 'ListBuckets'] } });
    const list = (await bench.get(BUCKETS, { token })).body as { bucket: string }[];
    assert.deepEqual(
      list.map(({ bucket }) => bucket),
      ['log'],
    );
    assert.equal((await bench.get(DATA, { token })).status, 200);
    assert.equal((await bench.post(DATA, { n: 1 }, { token })).status, 403);
    assert.equal((await bench.get(`${BUCKETS}/other`, { token })).status, 403);
    assert.equal((await bench.post(BUCKETS, { bucket: 'mine' }, { token })).status, 403);
  });
});
