import assert from 'node:assert/strict';
import { it } from 'mocha';
import type { BucketAggregation } from '../../../../src/store/bucket-query';
import type { BucketRow } from '../../../../src/store/bucket-row';
import type { BucketStore } from '../../../../src/store/bucket-store';
import { describeStores, withCode, type OpenTestStore } from '../support/stores';

const KEY = { user: 'ann', bucket: 'air' };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A row every 10 minutes, of the devices a and b in turns. */
async function filled(open: OpenTestStore, count: number): Promise<BucketStore> {
  const { buckets } = await open();
  await buckets.define(KEY, {});
  const rows = Array.from({ length: count }, (_, index) => ({
    ts: 10 * MINUTE * index,
    device: index % 2 ? 'b' : 'a',
    value: { n: index, label: 'x', room: index % 3 },
  }));
  for (let at = 0; at < rows.length; at += 5000) await buckets.write(KEY, rows.slice(at, at + 5000));
  return buckets;
}

async function all(
  buckets: BucketStore,
  query: BucketAggregation,
): Promise<{ rows: BucketRow[]; pages: number[] }> {
  const rows: BucketRow[] = [];
  const pages: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await buckets.aggregate(KEY, { ...query, ...(cursor !== undefined && { cursor }) });
    rows.push(...page.rows);
    pages.push(page.rows.length);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { rows, pages };
}

describeStores('aggregation of rows', (open) => {
  it('makes one row of each span, by time, either way', async () => {
    const buckets = await filled(open, 15);
    const query = { span: '1h', function: 'mean', fields: ['n'] } as const;
    const expected = [
      { ts: 0, value: { n: 2.5 } },
      { ts: 60 * MINUTE, value: { n: 8.5 } },
      { ts: 120 * MINUTE, value: { n: 13 } },
    ];
    assert.deepEqual(await buckets.aggregate(KEY, query), { rows: expected });
    assert.deepEqual(await buckets.aggregate(KEY, { ...query, sort: 'desc' }), {
      rows: expected.toReversed(),
    });
    assert.deepEqual(
      (await buckets.aggregate(KEY, { ...query, minTs: 70 * MINUTE, maxTs: 90 * MINUTE })).rows,
      [{ ts: 60 * MINUTE, value: { n: 8 } }],
    );
  });

  it('takes only some rows, and tells devices apart', async () => {
    const buckets = await filled(open, 12);
    const query = { span: '1d', function: 'sum', fields: ['n'] } as const;
    const sums = async (more: Partial<BucketAggregation>): Promise<unknown[]> =>
      (await buckets.aggregate(KEY, { ...query, ...more })).rows.map(({ device, value }) => [
        device,
        value.n,
      ]);
    assert.deepEqual(await sums({ groupBy: 'device' }), [
      ['a', 30],
      ['b', 36],
    ]);
    assert.deepEqual(await sums({ devices: ['b'] }), [[undefined, 36]]);
    assert.deepEqual(await sums({ tags: { room: ['0'] }, groupBy: 'device' }), [
      ['a', 6],
      ['b', 12],
    ]);
    assert.deepEqual(await sums({ devices: ['x'] }), []);
  });

  it('follows the calendar of a zone', async () => {
    const { buckets } = await open();
    await buckets.define(KEY, {});
    const noon = Date.parse('2024-03-29T12:00Z');
    await buckets.write(
      KEY,
      Array.from({ length: 5 }, (_, day) => ({ ts: noon + day * DAY, value: { n: 1 } })),
    );
    const starts = async (query: Pick<BucketAggregation, 'span' | 'timeZone'>): Promise<string[]> =>
      (await buckets.aggregate(KEY, { function: 'count', ...query })).rows.map(({ ts }) =>
        new Date(ts).toISOString().slice(0, 16),
      );
    assert.deepEqual(await starts({ span: '1mo', timeZone: 'Europe/Madrid' }), [
      '2024-02-29T23:00',
      '2024-03-31T22:00',
    ]);
    assert.deepEqual((await starts({ span: '1d', timeZone: 'Europe/Madrid' })).slice(1, 4), [
      '2024-03-29T23:00',
      '2024-03-30T23:00',
      '2024-03-31T22:00',
    ]);
    assert.deepEqual(await starts({ span: '1w' }), ['2024-03-25T00:00', '2024-04-01T00:00']);
  });

  it('comes in pages of whole spans', async () => {
    const buckets = await filled(open, 100);
    for (const sort of ['asc', 'desc'] as const) {
      const query = { span: '1h', function: 'count', sort, groupBy: 'device' } as const;
      const whole = (await buckets.aggregate(KEY, query)).rows;
      const { rows, pages } = await all(buckets, { ...query, limit: 5 });
      assert.deepEqual(rows, whole);
      assert.deepEqual(pages, [6, 6, 6, 6, 6, 4]);
    }
  });

  it('is exact over more rows than are read at once', async () => {
    const buckets = await filled(open, 20_000);
    for (const [name, n] of [
      ['sum', 199_990_000],
      ['median', 9999.5],
      ['max', 19_999],
      ['count', 20_000],
    ] as const) {
      const { rows } = await buckets.aggregate(KEY, { span: '1y', function: name, fields: ['n'] });
      assert.deepEqual(rows, [{ ts: 0, value: { n } }]);
    }
    assert.equal((await buckets.aggregate(KEY, { span: '1d', function: 'mode' })).rows.length, 139);
  });

  it('refuses what is no zone, and a cursor that is none', async () => {
    const buckets = await filled(open, 1);
    const query = { span: '1h', function: 'mean' } as const;
    const others = [
      { timeZone: 'Mars/Crater' },
      { cursor: 'x' },
      { limit: 0 },
      { fields: [''] },
      { span: 'age' as never },
      { function: 'guess' as never },
      { groupBy: 'colour' as never },
    ];
    for (const more of others) {
      await assert.rejects(buckets.aggregate(KEY, { ...query, ...more }), withCode('IOTMP_ERR_CONFIG'));
    }
  });

  it('can be asked for while rows are written and others read', async () => {
    const buckets = await filled(open, 20_000);
    const query = { span: '1d', function: 'stddev' } as const;
    const long = Array.from({ length: 3 }, () => buckets.aggregate(KEY, query));
    const writes = Array.from({ length: 20 }, (_, n) =>
      buckets.write(KEY, [{ ts: n, device: 'c', value: {} }]),
    );
    assert.deepEqual(
      await Promise.all(writes),
      writes.map((_, n) => ({ ts: [n], added: 1, pruned: 0, created: false })),
    );
    assert.equal((await buckets.range(KEY, { devices: ['c'] })).rows.length, 20);
    for (const { rows } of await Promise.all(long)) assert.equal(rows.length, 139);
  });
});
