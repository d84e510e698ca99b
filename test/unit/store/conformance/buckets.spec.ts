import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores, withCode } from '../support/stores';

const KEY = { user: 'ann', bucket: 'air' };

describeStores('buckets', (open) => {
  it('keeps settings, and tells what it knows of a bucket', async () => {
    let now = 1;
    const { buckets } = await open({ now: () => now });
    assert.equal(await buckets.get(KEY), undefined);
    assert.equal(
      await buckets.define(KEY, { name: 'Air', tags: ['room'], config: { source: 'api' } }),
      'created',
    );
    now = 2;
    await buckets.write(KEY, [{ value: { t: 1 } }]);
    assert.deepEqual(await buckets.update(KEY, { name: null, enabled: true }), {
      ...KEY,
      settings: { tags: ['room'], config: { source: 'api' }, enabled: true },
      rows: 1,
      created: 1,
      modified: 2,
    });
    now = 3;
    assert.equal(await buckets.define(KEY, { a: 1 }), 'updated');
    assert.deepEqual(await buckets.get(KEY), {
      ...KEY,
      settings: { a: 1 },
      rows: 1,
      created: 1,
      modified: 3,
    });
  });

  it('makes only what is absent, or replaces only what is present, if asked to', async () => {
    const { buckets } = await open();
    await assert.rejects(buckets.define(KEY, {}, 'present'), withCode('IOTMP_ERR_NOT_FOUND'));
    await buckets.define(KEY, { a: 1 }, 'absent');
    await assert.rejects(buckets.define(KEY, {}, 'absent'), withCode('IOTMP_ERR_CONFLICT'));
    assert.deepEqual((await buckets.get(KEY))?.settings, { a: 1 });
  });

  it('refuses settings that mean nothing', async () => {
    const { buckets } = await open();
    for (const settings of [
      { enabled: 'yes' },
      { tags: 'room' },
      { tags: ['a', 'b', 'c', 'd', 'e', 'f'] },
      { tags: [1] },
      { retention: 5 },
      { retention: { period: -1 } },
      { retention: { period: 1, unit: 'fortnights' } },
      { retention: { period: 1, unit: 'constructor' } },
      { retention: { count: '5' } },
    ]) {
      await assert.rejects(buckets.define(KEY, settings), withCode('IOTMP_ERR_CONFIG'));
    }
    assert.equal(await buckets.get(KEY), undefined);
    await buckets.define(KEY, {});
    await assert.rejects(buckets.update(KEY, { enabled: 1 }), withCode('IOTMP_ERR_CONFIG'));
    assert.deepEqual((await buckets.get(KEY))?.settings, {});
  });

  it('lists those of one user or of all, in pages, by id or name', async () => {
    const { buckets } = await open();
    for (const user of ['bob', 'ann']) {
      for (const bucket of ['b', 'a']) await buckets.define({ user, bucket }, { name: `Of ${user}` });
    }
    const ids = async (...args: Parameters<typeof buckets.list>): Promise<string[]> =>
      (await buckets.list(...args)).map(({ user, bucket }) => `${user}/${bucket}`);
    assert.deepEqual(await ids('ann'), ['ann/a', 'ann/b']);
    assert.deepEqual(await ids(undefined, { offset: 1, limit: 2 }), ['ann/b', 'bob/a']);
    assert.deepEqual(await ids(undefined, { name: 'of B' }), ['bob/a', 'bob/b']);
  });

  it('writes rows, of which the later replaces one of the same time and device', async () => {
    const { buckets } = await open({ now: () => 7 });
    await buckets.define(KEY, {});
    assert.deepEqual(
      await buckets.write(KEY, [
        { ts: 1, device: 'a', value: { t: 1 } },
        { ts: 1, device: 'b', value: { t: 2 } },
        { ts: 1, value: { t: 3 } },
        { ts: 1, device: 'a', value: { t: 4 } },
        { value: { t: 5 } },
      ]),
      { ts: [1, 1, 1, 1, 7], added: 4, pruned: 0, created: false },
    );
    assert.partialDeepStrictEqual(await buckets.write(KEY, [{ ts: 1, value: { t: 6 } }]), {
      added: 0,
      pruned: 0,
    });
    assert.deepEqual((await buckets.range(KEY)).rows, [
      { ts: 1, device: 'a', value: { t: 4 } },
      { ts: 1, device: 'b', value: { t: 2 } },
      { ts: 1, value: { t: 6 } },
      { ts: 7, value: { t: 5 } },
    ]);
    assert.equal(await buckets.count(KEY), 4);
  });

  it('gives a row without a time the next that is free, for each device on its own', async () => {
    let now = 10;
    const { buckets } = await open({ now: () => now });
    await buckets.define(KEY, {});
    const write = async (...rows: { ts?: number; device?: string }[]): Promise<readonly number[]> =>
      (
        await buckets.write(
          KEY,
          rows.map((row) => ({ ...row, value: {} })),
        )
      ).ts;
    assert.deepEqual(await write({ ts: 11 }, { ts: 13 }), [11, 13]);
    assert.deepEqual(await write({}, {}, { device: 'a' }, {}, { device: 'a' }), [10, 12, 10, 14, 11]);
    assert.deepEqual(await write({}), [15]);
    now = 9;
    assert.deepEqual(await write({}, { device: 'b' }), [16, 9], 'a clock that was set back a little');
    now = 100;
    assert.deepEqual(await write({}, {}), [100, 101]);
    now = 10;
    assert.deepEqual(await write({ device: 'a' }), [12], 'what is not remembered is in the table');
    assert.equal(await buckets.count(KEY), 13);
  });

  it('makes the bucket with its first row, if the write says how', async () => {
    const { buckets } = await open({ limits: { bucketsPerUser: 1 } });
    const settings = { config: { source: 'write' } };
    const writes = [1, 2].map((n) => buckets.write(KEY, [{ ts: n, value: { n } }], settings));
    assert.deepEqual(
      (await Promise.all(writes)).map(({ created }) => created),
      [true, false],
    );
    assert.partialDeepStrictEqual(await buckets.get(KEY), { settings, rows: 2 });
    await buckets.remove(KEY);
    assert.equal((await buckets.write(KEY, [{ value: {} }], settings)).created, true);
    const other = { ...KEY, bucket: 'b' };
    await assert.rejects(buckets.write(other, [{ value: {} }], settings), withCode('IOTMP_ERR_QUOTA'));
    const unusable = { tags: 5 };
    await buckets.remove(KEY);
    await assert.rejects(buckets.write(KEY, [{ value: {} }], unusable), withCode('IOTMP_ERR_CONFIG'));
    assert.equal(await buckets.get(KEY), undefined);
  });

  it('writes all rows or none', async () => {
    const { buckets } = await open({ limits: { valueSize: 100, rowsPerWrite: 3 } });
    await buckets.define(KEY, {});
    const good = { ts: 1, value: { t: 1 } };
    await assert.rejects(
      buckets.write(KEY, [good, { ts: 2, value: { t: 'x'.repeat(100) } }]),
      withCode('IOTMP_ERR_TOO_LARGE'),
    );
    await assert.rejects(buckets.write(KEY, [good, good, good, good]), withCode('IOTMP_ERR_TOO_LARGE'));
    for (const row of [
      { ts: -1, value: {} },
      { ts: 1.5, value: {} },
      { ts: NaN, value: {} },
      { ts: 8.65e15, value: {} },
      { ts: 1, value: 5 as never },
      { ts: 1, value: [] as never },
      { device: '', value: {} },
    ]) {
      await assert.rejects(buckets.write(KEY, [good, row]), withCode('IOTMP_ERR_CONFIG'));
    }
    assert.equal(await buckets.count(KEY), 0);
    assert.partialDeepStrictEqual(await buckets.write(KEY, []), { added: 0, pruned: 0 });
  });

  it('has no rows where there is no bucket', async () => {
    const { buckets } = await open();
    const missing = withCode('IOTMP_ERR_NOT_FOUND');
    await assert.rejects(buckets.write(KEY, [{ value: {} }]), missing);
    await assert.rejects(buckets.range(KEY), missing);
    await assert.rejects(buckets.latest(KEY), missing);
    await assert.rejects(buckets.aggregate(KEY, { span: '1h', function: 'mean' }), missing);
    await assert.rejects(buckets.tagValues(KEY, 'device'), missing);
    await assert.rejects(buckets.count(KEY), missing);
    await assert.rejects(buckets.prune(KEY), missing);
    await assert.rejects(buckets.clear(KEY), missing);
    await assert.rejects(buckets.update(KEY, {}), missing);
    assert.equal(await buckets.remove(KEY), false);
  });

  it('refuses writes of a bucket that is not enabled, from the moment that it is not', async () => {
    const { buckets } = await open();
    await buckets.define(KEY, {});
    await buckets.write(KEY, [{ ts: 1, value: {} }]);
    await buckets.update(KEY, { enabled: false });
    await assert.rejects(buckets.write(KEY, [{ ts: 2, value: {} }]), withCode('IOTMP_ERR_NOT_ALLOWED'));
    assert.equal((await buckets.range(KEY)).rows.length, 1);
    await buckets.update(KEY, { enabled: true });
    assert.partialDeepStrictEqual(await buckets.write(KEY, [{ ts: 2, value: {} }]), { added: 1, pruned: 0 });
  });

  it('forgets the rows of a bucket that is removed or cleared, and nothing else', async () => {
    const { buckets } = await open();
    const other = { user: 'ann', bucket: 'water' };
    for (const key of [KEY, other]) {
      await buckets.define(key, { name: 'x' });
      await buckets.write(key, [{ ts: 1, device: 'd', value: { t: 1 } }]);
    }
    await buckets.clear(KEY);
    assert.deepEqual((await buckets.range(KEY)).rows, []);
    assert.deepEqual(await buckets.latest(KEY), []);
    assert.deepEqual(await buckets.tagValues(KEY, 'device'), []);
    assert.partialDeepStrictEqual(await buckets.get(KEY), { rows: 0, settings: { name: 'x' } });
    await buckets.write(KEY, [{ ts: 2, device: 'e', value: { t: 2 } }]);
    assert.deepEqual((await buckets.range(KEY)).rows, [{ ts: 2, device: 'e', value: { t: 2 } }]);
    assert.equal(await buckets.remove(KEY), true);
    await buckets.define(KEY, {});
    assert.deepEqual((await buckets.range(KEY)).rows, []);
    assert.equal(await buckets.count(KEY), 0);
    assert.equal(await buckets.count(other), 1);
  });

  it('keeps the limit of buckets', async () => {
    const { buckets } = await open({ limits: { bucketsPerUser: 1 } });
    await buckets.define(KEY, {});
    await assert.rejects(buckets.define({ ...KEY, bucket: 'b' }, {}), withCode('IOTMP_ERR_QUOTA'));
    await buckets.define(KEY, { again: true });
    await buckets.define({ user: 'bob', bucket: 'b' }, {});
  });
});
