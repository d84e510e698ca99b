import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores } from '../store/support/stores';
import { PUMP } from '../support/broker-fixture';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { replay, scene } from './store-support';
import { ask, captured, connectClient, DIALECTS, gist, serviceRun } from './support';

const WRITE = 5;
/** Some day: rows of long ago are refused. */
const DAY = Date.UTC(2026, 0, 5);
const KEY = { user: 'anna', bucket: 'weather' };
const FROM_PUMP = { user: 'anna', device: 'pump' };
const OK = ['OK', undefined, undefined];

describeStores('buckets', (open) => {
  for (const dialect of DIALECTS) {
    it(`take rows of devices, which are their tags, dialect ${dialect}`, async () => {
      const { bench, pump, lamp, takeEvents } = await scene({
        store: await open({ now: () => 5 }),
      });
      const { buckets } = bench.services;
      await buckets.define(KEY, { description: 'of the roof' });
      assert.deepEqual(gist(await ask(pump, dialect, WRITE, 'weather', { t: 21.5, on: true })), OK);
      assert.deepEqual(gist(await ask(lamp, dialect, WRITE, 'weather', { t: -1 })), OK);
      assert.deepEqual((await buckets.range(KEY)).rows, [
        { ts: 5, device: 'pump', value: { t: 21.5, on: true } },
        { ts: 5, device: 'lamp', value: { t: -1 } },
      ]);
      assert.deepEqual(takeEvents(), [
        { description: 'of the roof', event: 'bucket_create', ...KEY },
        {
          event: 'bucket_write',
          ...FROM_PUMP,
          bucket: 'weather',
          data: { device: 'pump', t: 21.5, on: true },
        },
        {
          event: 'bucket_write',
          user: 'anna',
          device: 'lamp',
          bucket: 'weather',
          data: { device: 'lamp', t: -1 },
        },
      ]);
      assert.deepEqual(bench.takeRefusals(), []);
    });

    it(`are made by the first write of a device, dialect ${dialect}`, async () => {
      const { bench, pump, takeEvents } = await scene({ store: await open() });
      const { buckets } = bench.services;
      for (let id = 1; id <= 5; id++) {
        pump.send(serviceRun(dialect, WRITE, 'new', { id, payload: { n: id } }));
      }
      for (let id = 1; id <= 5; id++) assert.equal((await pump.next()).type, Type.OK);
      const rows = (await buckets.range({ user: 'anna', bucket: 'new' })).rows;
      assert.deepEqual(
        rows.map(({ value }) => value.n),
        [1, 2, 3, 4, 5],
      );
      const events = takeEvents().map(({ event }) => event);
      assert.deepEqual(events.filter((event) => event === 'bucket_create').length, 1);
      assert.equal(events.filter((event) => event === 'bucket_write').length, 5);
      const made = await buckets.get({ user: 'anna', bucket: 'new' });
      assert.deepEqual(made?.settings, { config: { source: 'write' } });
      assert.deepEqual(bench.takeRefusals(), []);
    });

    it(`are not made where that is not wanted, dialect ${dialect}`, async () => {
      const { bench, pump } = await scene({ store: await open(), buckets: { autoCreate: false } });
      assert.deepEqual(gist(await ask(pump, dialect, WRITE, 'new', { n: 1 })), [
        'ERROR',
        404,
        { error: 'no bucket "new"' },
      ]);
      pump.send(serviceRun(dialect, WRITE, 'new', { payload: { n: 1 } }));
      await pump.barrier();
      await bench.services.buckets.list();
      assert.deepEqual(bench.takeRefusals(), ['write_bucket 404 new', 'write_bucket 404 new']);
      assert.deepEqual(await bench.services.buckets.list(), []);
    });

    it(`are written to without an answer where none is wanted, dialect ${dialect}`, async () => {
      const { bench, pump } = await scene({ store: await open() });
      for (const id of [undefined, 0]) {
        pump.send(serviceRun(dialect, WRITE, 'weather', { id, payload: { t: 1 } }));
      }
      await ask(pump, dialect, WRITE, 'weather', { t: 2 });
      assert.deepEqual((await bench.services.buckets.range(KEY)).rows.length, 3);
      assert.equal(pump.received.length, 2, 'the login and one OK');
    });

    it(`keep one value as feeds do, dialect ${dialect}`, async () => {
      const { bench, pump, takeEvents } = await scene({ store: await open() });
      const values = ['Open', 1, 23.4, true, false, '', [1, 2], Buffer.from('x')];
      for (const value of values) {
        assert.deepEqual(gist(await ask(pump, dialect, WRITE, 'garage', value)), OK);
      }
      const { rows } = await bench.services.buckets.range({ user: 'anna', bucket: 'garage' });
      assert.deepEqual(
        rows.map(({ device, value }) => [device, value]),
        values.map((value) => ['pump', { value }]),
      );
      const [event] = takeEvents().filter(({ event: name }) => name === 'bucket_write');
      assert.deepEqual(event?.data, { device: 'pump', value: 'Open' });
    });

    it(`refuse what is no name or no value, dialect ${dialect}`, async () => {
      const { bench, pump } = await scene({ store: await open() });
      for (const name of ['', 'a b', 'a/b', 'x'.repeat(65), ['a', 'b']]) {
        assert.equal((await ask(pump, dialect, WRITE, name, { t: 1 })).parameters, 400);
      }
      for (const payload of [undefined, null, {}]) {
        assert.equal((await ask(pump, dialect, WRITE, 'weather', payload)).parameters, 400);
      }
      assert.equal(bench.refusals.length, 8);
      assert.deepEqual(await bench.services.buckets.list(), []);
    });
  }

  it('understand real devices', async () => {
    const { bench, pump } = await scene({ store: await open() });
    const { buckets } = bench.services;
    assert.deepEqual(await replay(pump, captured('call.write_bucket_confirm')), OK);
    assert.deepEqual(await replay(pump, captured('enc old order write_bucket')), OK);
    assert.deepEqual(await replay(pump, captured('write_bucket str <- RUN')), OK);
    const all = await buckets.list('anna');
    assert.deepEqual(
      all.map(({ bucket, rows }) => [bucket, rows]),
      [
        ['bkt', 1],
        ['environment', 1],
        ['name', 1],
      ],
    );
    const [row] = (await buckets.range({ user: 'anna', bucket: 'environment' })).rows;
    assert.deepEqual(row?.value, { humidity: 65, temperature: -22.25 });
  });

  it('keep bytes and integers of 64 bits exactly, and a member ts as a value', async () => {
    const { bench, pump } = await scene({ store: await open({ now: () => 7 }) });
    const value = {
      big: 2n ** 63n,
      neg: -(2n ** 62n),
      raw: Buffer.from([0, 255]),
      ts: 1,
      nested: { a: [null] },
    };
    pump.send(
      message(Type.RUN, varintField(1, 7), psonField(2, 'weather'), psonField(3, value), varintField(4, 5)),
    );
    await pump.next(Type.OK);
    assert.deepEqual((await bench.services.buckets.range(KEY)).rows, [{ ts: 7, device: 'pump', value }]);
  });

  it('lose no row of those that come in the same millisecond', async () => {
    const { bench, pump, lamp } = await scene({ store: await open({ now: () => 1000 }) });
    const { buckets } = bench.services;
    for (const device of [pump, lamp]) {
      for (let id = 1; id <= 200; id++)
        device.send(serviceRun('A', WRITE, 'weather', { id, payload: { n: id } }));
    }
    for (const device of [pump, lamp]) {
      for (let id = 1; id <= 200; id++) assert.equal((await device.next()).type, Type.OK);
    }
    const { rows } = await buckets.range(KEY, { devices: ['lamp'] });
    assert.deepEqual(
      rows.map(({ ts, value }) => [ts, value.n]),
      Array.from({ length: 200 }, (_, n) => [1000 + n, n + 1]),
    );
    assert.equal((await buckets.get(KEY))?.rows, 400);
  });

  it('refuse one who writes far more rows than there are milliseconds', async () => {
    let now = DAY;
    const { bench } = await scene({ store: await open({ now: () => now }) });
    const { buckets } = bench.services;
    await buckets.define(KEY, {});
    const rows = (count: number): { value: { n: number } }[] =>
      Array.from({ length: count }, (_, n) => ({ value: { n } }));
    for (let at = 0; at < 2; at++) await buckets.write(KEY, rows(5000));
    await assert.rejects(buckets.write(KEY, rows(2)), { code: 'IOTMP_ERR_BUSY' });
    now += 5000;
    await buckets.write(KEY, rows(2));
    await buckets.write(KEY, [{ ts: DAY + 3, value: { n: 1 } }]);
    assert.equal((await buckets.get(KEY))?.rows, 10_002, 'the row at 3 took the place of another');
  });

  it('are limited in size and number', async () => {
    const { bench, pump } = await scene({
      store: await open({ limits: { valueSize: 100, bucketsPerUser: 1 } }),
    });
    assert.equal((await ask(pump, 'A', WRITE, 'a', { t: 'x'.repeat(101) })).parameters, 413);
    assert.equal((await ask(pump, 'A', WRITE, 'a', { t: 1 })).type, Type.OK);
    assert.equal((await ask(pump, 'A', WRITE, 'b', { t: 1 })).parameters, 409);
    await bench.services.buckets.update({ user: 'anna', bucket: 'a' }, { enabled: false });
    assert.equal((await ask(pump, 'A', WRITE, 'a', { t: 1 })).parameters, 405);
    assert.deepEqual(bench.takeRefusals(), [
      'write_bucket 413 a',
      'write_bucket 409 b',
      'write_bucket 405 a',
    ]);
  });

  it('are those of the user', async () => {
    const { bench, pump } = await scene({ store: await open() });
    await ask(pump, 'A', WRITE, 'weather', { t: 1 });
    assert.equal(await bench.services.buckets.get({ user: 'bob', bucket: 'weather' }), undefined);
    await assert.rejects(bench.services.buckets.range({ user: 'bob', bucket: 'weather' }), {
      statusCode: 404,
    });
    assert.deepEqual(await bench.services.buckets.list('bob'), []);
  });

  it('are made, changed and removed by programs, which is told', async () => {
    const { bench, takeEvents } = await scene({ store: await open() });
    const { buckets } = bench.services;
    assert.equal(await buckets.define(KEY, { name: 'W', user: 'mallory', ts: 1 }, 'absent'), 'created');
    await assert.rejects(buckets.define(KEY, {}, 'absent'), { code: 'IOTMP_ERR_CONFLICT' });
    assert.equal(await buckets.define(KEY, { name: 'X' }), 'updated');
    assert.deepEqual((await buckets.update(KEY, { tags: ['room'], name: null })).settings, {
      tags: ['room'],
    });
    assert.equal(await buckets.remove(KEY), true);
    assert.equal(await buckets.remove(KEY), false);
    assert.deepEqual(takeEvents(), [
      { event: 'bucket_create', ...KEY, name: 'W' },
      { event: 'bucket_update', ...KEY, name: 'X' },
      { event: 'bucket_update', ...KEY, tags: ['room'] },
      { event: 'bucket_delete', ...KEY },
    ]);
  });

  it('are read in all the ways of the store', async () => {
    const { bench, events } = await scene({ store: await open() });
    const { buckets } = bench.services;
    await buckets.define(KEY, { tags: ['room'] });
    const rows = [0, 1, 2, 3].map((n) => ({
      ts: DAY + n * 60_000,
      device: n < 3 ? 'pump' : 'lamp',
      value: { n, room: n % 2 === 0 ? 'a' : 'b' },
    }));
    assert.partialDeepStrictEqual(await buckets.write(KEY, rows), { added: 4, pruned: 0 });
    assert.deepEqual(
      events.slice(1).map(({ ts, device }) => [ts, device]),
      rows.map(({ ts, device }) => [ts, device]),
    );
    assert.deepEqual((await buckets.range(KEY, { sort: 'desc', limit: 1 })).rows, [rows[3]]);
    assert.deepEqual(await buckets.latest(KEY), [rows[2], rows[3]]);
    assert.deepEqual(await buckets.tagValues(KEY, 'room'), ['a', 'b']);
    const { rows: sums } = await buckets.aggregate(KEY, { span: '1h', function: 'sum' });
    assert.deepEqual(sums, [{ ts: DAY, value: { n: 6 } }]);
    const exported: unknown[] = [];
    for await (const page of buckets.scan(KEY)) exported.push(...page);
    assert.deepEqual(exported, rows);
    await buckets.clear(KEY);
    assert.equal((await buckets.get(KEY))?.rows, 0);
  });

  it('refuse programs what makes no sense, and change nothing then', async () => {
    const { bench } = await scene({ store: await open() });
    const { buckets } = bench.services;
    const bad = [
      { config: { source: 'device' } },
      { config: { source: 'device', device: 'pump', resource: '' } },
      { config: { source: 'device', device: 'pump', resource: 't', update: 'often' } },
      { config: { source: 'device', device: 'pump', resource: 't', interval: 0 } },
      { config: { source: 'device', device: 'pump', resource: 't', interval: '5' } },
      { retention: { period: -1 } },
      { enabled: 'yes' },
    ];
    for (const settings of bad) {
      await assert.rejects(buckets.define(KEY, settings), { code: 'IOTMP_ERR_CONFIG' });
    }
    await buckets.define(KEY, { name: 'W' });
    for (const patch of bad) await assert.rejects(buckets.update(KEY, patch), { code: 'IOTMP_ERR_CONFIG' });
    await assert.rejects(buckets.define({ user: 'anna', bucket: 'a b' }, {}), { statusCode: 400 });
    await assert.rejects(buckets.update({ user: 'anna', bucket: 'none' }, {}), { statusCode: 404 });
    await assert.rejects(buckets.write({ user: 'anna', bucket: 'none' }, [{ value: { a: 1 } }]), {
      statusCode: 404,
    });
    await assert.rejects(buckets.write(KEY, [{ value: [] as never }]), { statusCode: 400 });
    const [bucket, ...others] = await buckets.list();
    assert.deepEqual([bucket?.settings, bucket?.rows, others], [{ name: 'W' }, 0, []]);
    assert.equal(buckets.feeds, 0);
  });

  it('take rows of the client of this package', async () => {
    const { bench } = await scene({ store: await open() });
    const client = await connectClient(bench.broker, PUMP);
    await client.writeBucket('weather', { t: 1 });
    await client.writeBucket('weather', 5);
    assert.equal((await bench.services.buckets.get(KEY))?.rows, 2);
  });
});
