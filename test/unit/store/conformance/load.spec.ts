import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import type { BucketStore } from '../../../../src/store/bucket-store';
import type { Store } from '../../../../src/store/store';
import { describeStores, openFileStore, type OpenTestStore } from '../support/stores';

const KEY = { user: 'ann', bucket: 'air' };
const ROWS = 50_000;
const BATCH = 1000;

/** A row every second, of ten devices, written by four writers at once. */
async function filled(store: Store): Promise<BucketStore> {
  const { buckets } = store;
  await buckets.define(KEY, {});
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < ROWS) {
      const first = next;
      next += BATCH;
      const rows = Array.from({ length: BATCH }, (_, index) => rowOf(first + index));
      assert.partialDeepStrictEqual(await buckets.write(KEY, rows), { added: BATCH, pruned: 0 });
    }
  };
  await Promise.all([writer(), writer(), writer(), writer()]);
  return buckets;
}

function rowOf(n: number) {
  return { ts: n * 1000, device: `d${n % 10}`, value: { n, temperature: 20 + (n % 100) / 10 } };
}

/** What a promise comes to, and how often other code had its turn meanwhile. */
async function countTurns<T>(promise: Promise<T>): Promise<[T, number]> {
  const state = { isDone: false };
  let turns = 0;
  const done = promise.finally(() => (state.isDone = true));
  while (!state.isDone) {
    await setImmediate();
    turns++;
  }
  return [await done, turns];
}

const open = (openStore: OpenTestStore): Promise<BucketStore> => openStore().then(filled);

describeStores('a bucket of many rows', (openStore) => {
  it('is counted, read from the end, and aggregated exactly', async () => {
    const buckets = await open(openStore);
    assert.equal(await buckets.count(KEY), ROWS);
    const { rows } = await buckets.range(KEY, { sort: 'desc', limit: 3, fields: ['n'] });
    assert.deepEqual(
      rows.map(({ value }) => value.n),
      [49_999, 49_998, 49_997],
    );
    const hours = await buckets.aggregate(KEY, { span: '1h', function: 'mean', fields: ['n'] });
    assert.equal(hours.rows.length, 14);
    assert.deepEqual(hours.rows[1], { ts: 3_600_000, value: { n: 5399.5 } });
    const ofOne = await buckets.aggregate(KEY, {
      span: '1d',
      function: 'sum',
      devices: ['d3'],
      fields: ['n'],
    });
    assert.deepEqual(ofOne.rows, [{ ts: 0, value: { n: 124_990_000 } }]);
  });

  it('does not keep other code waiting while it is aggregated', async () => {
    const buckets = await open(openStore);
    const [, turns] = await countTurns(buckets.aggregate(KEY, { span: '1h', function: 'median' }));
    assert.ok(turns > 30, `only ${turns} turns`);
  });
});

describe('a file with many rows', () => {
  it('is written to and read while it is aggregated', async () => {
    const store = await openFileStore();
    const buckets = await filled(store);
    const state = { isDone: false };
    const query = { span: '1h', function: 'median' } as const;
    const long = buckets.aggregate(KEY, query).finally(() => (state.isDone = true));
    let answered = 0;
    while (!state.isDone) {
      await store.properties.set({ user: 'ann' }, 'count', answered);
      assert.equal((await store.properties.get({ user: 'ann' }, 'count'))?.value, answered);
      answered++;
    }
    assert.equal((await long).rows.length, 14);
    assert.ok(answered >= 3, `only ${answered} writes were answered meanwhile`);
  });
});
