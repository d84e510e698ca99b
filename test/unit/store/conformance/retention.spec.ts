import assert from 'node:assert/strict';
import { it } from 'mocha';
import type { BucketStore } from '../../../../src/store/bucket-store';
import { describeStores } from '../support/stores';

const KEY = { user: 'ann', bucket: 'air' };
const HOUR = 3_600_000;

const rows = (count: number, from = 0, step = 1): { ts: number; value: { n: number } }[] =>
  Array.from({ length: count }, (_, index) => ({ ts: from + index * step, value: { n: index } }));

async function times(buckets: BucketStore): Promise<number[]> {
  return (await buckets.range(KEY)).rows.map(({ ts }) => ts);
}

describeStores('retention', (open) => {
  it('keeps so many of the newest rows', async () => {
    const { buckets } = await open();
    await buckets.define(KEY, { retention: { count: 3 } });
    assert.partialDeepStrictEqual(await buckets.write(KEY, rows(5)), { added: 5, pruned: 2 });
    assert.deepEqual(await times(buckets), [2, 3, 4]);
    assert.partialDeepStrictEqual(await buckets.write(KEY, [{ ts: 9, value: {} }]), { added: 1, pruned: 1 });
    assert.deepEqual(await times(buckets), [3, 4, 9]);
    assert.partialDeepStrictEqual(await buckets.write(KEY, [{ ts: 9, value: { again: 1 } }]), {
      added: 0,
      pruned: 0,
    });
    await assert.rejects(buckets.write(KEY, [{ ts: 1, value: {} }]), { code: 'IOTMP_ERR_CONFIG' });
    assert.deepEqual(await times(buckets), [3, 4, 9]);
    assert.equal(await buckets.count(KEY), 3);
  });

  it('keeps rows that are not too old', async () => {
    let now = 100 * HOUR;
    const { buckets } = await open({ now: () => now });
    await buckets.define(KEY, { retention: { period: 2, unit: 'hours' } });
    await assert.rejects(buckets.write(KEY, rows(5, 96 * HOUR, HOUR)), { statusCode: 400 });
    assert.deepEqual(await times(buckets), []);
    await buckets.write(KEY, rows(3, 98 * HOUR, HOUR));
    assert.deepEqual(await times(buckets), [98 * HOUR, 99 * HOUR, 100 * HOUR]);
    now = 101 * HOUR;
    assert.equal(await buckets.prune(KEY), 1);
    now = 200 * HOUR;
    assert.equal(await buckets.prune(KEY), 2);
    assert.equal(await buckets.prune(KEY), 0);
    assert.deepEqual(await times(buckets), []);
    assert.equal(await buckets.count(KEY), 0);
  });

  it('applies both rules, and a rule that is new from the next write on', async () => {
    const { buckets } = await open({ now: () => 1_000_000 });
    await buckets.define(KEY, { retention: { period: 10, unit: 'seconds', count: 0 } });
    await buckets.write(KEY, rows(7, 991_000, 2000));
    assert.deepEqual(
      await times(buckets),
      [991_000, 993_000, 995_000, 997_000, 999_000, 1_001_000, 1_003_000],
    );
    await buckets.update(KEY, { retention: { count: 2 } });
    assert.equal((await times(buckets)).length, 7);
    assert.equal(await buckets.prune(KEY), 5);
    await buckets.update(KEY, { retention: null });
    await buckets.write(KEY, rows(3));
    assert.deepEqual(await times(buckets), [0, 1, 2, 1_001_000, 1_003_000]);
  });

  it('removes many old rows little by little, so that no write takes long', async () => {
    const { buckets } = await open();
    await buckets.define(KEY, {});
    for (let part = 0; part < 3; part++) await buckets.write(KEY, rows(5000, part * 5000));
    await buckets.update(KEY, { retention: { count: 10 } });
    assert.partialDeepStrictEqual(await buckets.write(KEY, [{ ts: 20_000, value: {} }]), {
      added: 1,
      pruned: 100,
    });
    assert.equal(await buckets.count(KEY), 14_901);
    assert.equal(await buckets.prune(KEY), 14_891);
    assert.deepEqual((await times(buckets)).slice(-2), [14_999, 20_000]);
    assert.equal(await buckets.count(KEY), 10);
  });

  it('has a limit of rows of its own, if one is set', async () => {
    const { buckets } = await open({ limits: { rowsPerBucket: 5 } });
    await buckets.define(KEY, { retention: { count: 100 } });
    await buckets.write(KEY, rows(8));
    assert.deepEqual(await times(buckets), [3, 4, 5, 6, 7]);
  });
});
