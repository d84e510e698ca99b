import assert from 'node:assert/strict';
import { it } from 'mocha';
import fc from 'fast-check';
import type { BucketRange } from '../../../../src/store/bucket-query';
import type { BucketRow } from '../../../../src/store/bucket-row';
import type { BucketStore } from '../../../../src/store/bucket-store';
import { describeStores, withCode, type OpenTestStore } from '../support/stores';

const KEY = { user: 'ann', bucket: 'air' };

/** Every second a row, of the devices a, b and c in turns. */
async function filled(open: OpenTestStore, count: number): Promise<BucketStore> {
  const { buckets } = await open();
  await buckets.define(KEY, {});
  const rows = Array.from({ length: count }, (_, index) => ({
    ts: 1000 * index,
    device: 'abc'[index % 3]!,
    value: { n: index, room: index % 2 ? 'hall' : 'loft', at: { lat: index / 2, floor: index % 4 } },
  }));
  for (let at = 0; at < rows.length; at += 5000) await buckets.write(KEY, rows.slice(at, at + 5000));
  return buckets;
}

const numbers = (rows: readonly BucketRow[]): unknown[] => rows.map(({ value }) => value.n);

async function all(buckets: BucketStore, query: BucketRange): Promise<{ rows: BucketRow[]; pages: number }> {
  const rows: BucketRow[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await buckets.range(KEY, { ...query, ...(cursor !== undefined && { cursor }) });
    rows.push(...page.rows);
    cursor = page.cursor;
    pages++;
  } while (cursor !== undefined);
  return { rows, pages };
}

describeStores('ranges of rows', (open) => {
  it('gives rows by time, either way, between two times that are included', async () => {
    const buckets = await filled(open, 10);
    const range = async (query: BucketRange): Promise<unknown[]> =>
      numbers((await buckets.range(KEY, query)).rows);
    assert.deepEqual(await range({}), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(await range({ minTs: 2000, maxTs: 5000 }), [2, 3, 4, 5]);
    assert.deepEqual(await range({ minTs: 2000, maxTs: 5000, sort: 'desc' }), [5, 4, 3, 2]);
    assert.deepEqual(await range({ minTs: 2001, maxTs: 2999 }), []);
    assert.deepEqual(await range({ minTs: 5000, maxTs: 2000 }), []);
    assert.deepEqual(await range({ limit: 3, offset: 2 }), [2, 3, 4]);
    assert.deepEqual(await range({ sort: 'desc', limit: 3, offset: 8 }), [1, 0]);
    assert.deepEqual(await range({ offset: 10 }), []);
  });

  it('takes only some devices', async () => {
    const buckets = await filled(open, 10);
    const of = async (...devices: string[]): Promise<unknown[]> =>
      numbers((await buckets.range(KEY, { devices, minTs: 1000, maxTs: 8000 })).rows);
    assert.deepEqual(await of('a'), [3, 6]);
    assert.deepEqual(await of('a', 'c'), [2, 3, 5, 6, 8]);
    assert.deepEqual(await of('nobody'), []);
    assert.deepEqual(await of('nobody', 'b'), [1, 4, 7]);
    assert.deepEqual(await of(), []);
    const page = await buckets.range(KEY, { devices: ['b'], sort: 'desc', limit: 2 });
    assert.deepEqual(numbers(page.rows), [7, 4]);
    const next = await buckets.range(KEY, { devices: ['b'], sort: 'desc', limit: 2, cursor: page.cursor! });
    assert.deepEqual(numbers(next.rows), [1]);
  });

  it('takes only rows with some values of tags', async () => {
    const buckets = await filled(open, 12);
    const tags = { room: ['hall', 'cellar'], 'at.floor': ['1', '2'] };
    assert.deepEqual(numbers((await buckets.range(KEY, { tags })).rows), [1, 5, 9]);
    assert.deepEqual(numbers((await buckets.range(KEY, { tags, devices: ['c'] })).rows), [5]);
    assert.deepEqual((await buckets.range(KEY, { tags: { nothing: [''] } })).rows, []);
  });

  it('takes only some fields', async () => {
    const buckets = await filled(open, 1);
    const { rows } = await buckets.range(KEY, { fields: ['at.lat', 'n', 'missing', 'at.missing'] });
    assert.deepEqual(rows[0]?.value, { at: { lat: 0 }, n: 0 });
    assert.deepEqual((await buckets.range(KEY, { fields: ['missing'] })).rows[0]?.value, {});
  });

  it('goes on where a page ended, and ends with the last row', async () => {
    const buckets = await filled(open, 2000);
    for (const query of [{}, { sort: 'desc' }, { devices: ['a'] }, { devices: ['a', 'b'] }] as const) {
      const { rows, pages } = await all(buckets, { ...query, limit: 500 });
      const { length } = rows;
      assert.equal(pages, Math.ceil(length / 500));
      assert.equal(new Set(rows.map(({ ts }) => ts)).size, length);
    }
    const later = await buckets.range(KEY, { limit: 1000 });
    await buckets.write(KEY, [{ ts: 1, value: { n: -1 } }]);
    const rest = await buckets.range(KEY, { limit: 1000, cursor: later.cursor! });
    assert.deepEqual(numbers(rest.rows).slice(0, 2), [1000, 1001]);
  });

  it('ends a page early when it is large', async () => {
    const { buckets } = await open();
    await buckets.define(KEY, {});
    const blob = Buffer.alloc(60_000);
    for (let index = 0; index < 200; index += 50) {
      await buckets.write(
        KEY,
        Array.from({ length: 50 }, (_, n) => ({ ts: index + n, value: { blob } })),
      );
    }
    const { rows, pages } = await all(buckets, {});
    assert.equal(rows.length, 200);
    assert.equal(pages, 2);
  });

  it('scans all rows', async () => {
    const buckets = await filled(open, 2500);
    const lengths: number[] = [];
    let expected = 0;
    for await (const rows of buckets.scan(KEY, { minTs: 1000, fields: ['n'] })) {
      lengths.push(rows.length);
      for (const { value } of rows) assert.equal(value.n, ++expected);
    }
    assert.deepEqual(lengths, [1000, 1000, 499]);
  });

  it('gives the newest rows of each device', async () => {
    const buckets = await filled(open, 10);
    const latest = async (query = {}): Promise<unknown[]> => numbers(await buckets.latest(KEY, query));
    assert.deepEqual(await latest(), [9, 7, 8]);
    assert.deepEqual(await latest({ perDevice: 2, devices: ['b', 'c', 'x'] }), [7, 4, 8, 5]);
    assert.deepEqual(await latest({ maxTs: 1000 }), [0, 1]);
    assert.deepEqual(await latest({ tags: { 'at.floor': ['3'] } }), [3, 7]);
  });

  it('refuses to give more newest rows than fit', async () => {
    const { buckets } = await open();
    await buckets.define(KEY, {});
    const blob = Buffer.alloc(60_000);
    const rows = Array.from({ length: 150 }, (_, n) => ({ ts: 1, device: `d${n}`, value: { blob } }));
    await buckets.write(KEY, rows);
    await assert.rejects(buckets.latest(KEY), withCode('IOTMP_ERR_TOO_LARGE'));
    assert.equal((await buckets.latest(KEY, { fields: ['no'] })).length, 150);
  });

  it('tells the values of a tag', async () => {
    const buckets = await filled(open, 10);
    await buckets.write(KEY, [{ ts: 1, value: { room: 5, at: { floor: true } } }]);
    assert.deepEqual(await buckets.tagValues(KEY, 'device'), ['a', 'b', 'c']);
    assert.deepEqual(await buckets.tagValues(KEY, 'device', { maxTs: 1500 }), ['a', 'b']);
    assert.deepEqual(await buckets.tagValues(KEY, 'room'), ['5', 'hall', 'loft']);
    assert.deepEqual(await buckets.tagValues(KEY, 'at.floor'), ['0', '1', '2', '3', 'true']);
    assert.deepEqual(await buckets.tagValues(KEY, 'room', { devices: ['b'], maxTs: 2000 }), ['hall']);
    assert.deepEqual(await buckets.tagValues(KEY, 'nothing'), []);
  });

  it('refuses queries that mean nothing', async () => {
    const buckets = await filled(open, 1);
    const queries = [
      { limit: 0 },
      { limit: 1001 },
      { offset: -1 },
      { minTs: -1 },
      { maxTs: 0.5 },
      { sort: 'up' as never },
      { cursor: 'x' },
      { cursor: '1.-1' },
      { devices: [''] },
      { fields: [''] },
      { tags: { '': ['a'] } },
    ];
    for (const query of queries) {
      await assert.rejects(buckets.range(KEY, query), withCode('IOTMP_ERR_CONFIG'), JSON.stringify(query));
    }
  });

  it('gives what a sorted list of the rows would, for any rows and queries', async () => {
    const { buckets } = await open();
    const row = fc.record({ ts: fc.integer({ min: 0, max: 8 }), device: fc.constantFrom('a', 'b', 'c') });
    const query = fc.record(
      {
        minTs: fc.integer({ min: 0, max: 8 }),
        maxTs: fc.integer({ min: 0, max: 8 }),
        sort: fc.constantFrom('asc', 'desc'),
        limit: fc.integer({ min: 1, max: 5 }),
        devices: fc.subarray(['a', 'b', 'x']),
      },
      { requiredKeys: ['limit'] },
    );
    let run = 0;
    const check = async (
      rows: readonly { ts: number; device: string }[],
      given: BucketRange,
    ): Promise<void> => {
      await buckets.define(KEY, {});
      await buckets.clear(KEY);
      const series = [...new Set(rows.map(({ device }) => device))];
      const model = new Map<string, BucketRow>();
      for (const { ts, device } of rows) model.set(`${ts}/${device}`, { ts, device, value: { run: ++run } });
      await buckets.write(KEY, [...model.values()]);
      const { minTs = 0, maxTs = 9, devices, sort } = given;
      const first = (device: string): number => series.indexOf(device);
      const expected = [...model.values()]
        .filter(({ ts, device }) => ts >= minTs && ts <= maxTs && (devices?.includes(device!) ?? true))
        .sort((one, other) => one.ts - other.ts || first(one.device!) - first(other.device!));
      const { rows: found } = await all(buckets, given);
      assert.deepEqual(found, sort === 'desc' ? expected.toReversed() : expected);
    };
    await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 20 }), query, check), { numRuns: 30 });
  });
});
