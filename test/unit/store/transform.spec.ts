import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseTransform, transformRows, type Transform } from '../../../src/store/aggregation/transform';
import type { BucketRow } from '../../../src/store/bucket-row';
import { withCode } from './support/stores';

const ROWS: BucketRow[] = [
  { ts: 0, value: { x: -1.5, n: { y: 10 } } },
  { ts: 2000, value: { x: 2.5, text: 'a' } },
  { ts: 3000, value: { x: 2, n: { y: 7n } } },
];

/** The values of x, by time. */
function xs(transform: Transform, rows = ROWS): [number, unknown][] {
  return transformRows(rows, transform).map(({ ts, value }) => [ts, value.x]);
}

describe('transforms', () => {
  it('change each number alone', () => {
    assert.deepEqual(xs('abs'), [
      [0, 1.5],
      [2000, 2.5],
      [3000, 2],
    ]);
    assert.deepEqual(xs('ceil'), [
      [0, -1],
      [2000, 3],
      [3000, 2],
    ]);
    assert.deepEqual(xs('floor'), [
      [0, -2],
      [2000, 2],
      [3000, 2],
    ]);
    assert.deepEqual(xs('round'), [
      [0, -1],
      [2000, 3],
      [3000, 2],
    ]);
  });

  it('compare each number with the one before of the same member', () => {
    assert.deepEqual(xs('difference'), [
      [2000, 4],
      [3000, -0.5],
    ]);
    assert.deepEqual(xs('derivative'), [
      [2000, 2],
      [3000, -0.5],
    ]);
    assert.deepEqual(xs('elapsed'), [
      [2000, 2],
      [3000, 1],
    ]);
    assert.deepEqual(xs('cumulative_sum'), [
      [0, -1.5],
      [2000, 1],
      [3000, 3],
    ]);
    assert.deepEqual(transformRows(ROWS, 'difference')[1]?.value, { x: -0.5, n: { y: -3 } });
    assert.deepEqual(transformRows(ROWS, 'elapsed')[1]?.value, { x: 1, n: { y: 3 } });
  });

  it('leave out negative changes where asked to', () => {
    const rows = [5, 8, 2, 3].map((x, index) => ({ ts: index * 1000, value: { x } }));
    assert.deepEqual(xs('non_negative_difference', rows), [
      [1000, 3],
      [3000, 1],
    ]);
    assert.deepEqual(xs('non_negative_derivative', rows), [
      [1000, 3],
      [3000, 1],
    ]);
  });

  it('give the same for rows from the newest to the oldest', () => {
    for (const transform of ['derivative', 'cumulative_sum', 'elapsed', 'abs'] as const) {
      assert.deepEqual(
        transformRows(ROWS.toReversed(), transform),
        transformRows(ROWS, transform).toReversed(),
      );
    }
  });

  it('keep devices apart', () => {
    const rows = [
      { ts: 0, device: 'a', value: { x: 1 } },
      { ts: 1, device: 'b', value: { x: 100 } },
      { ts: 2, device: 'a', value: { x: 2 } },
      { ts: 3, device: 'b', value: { x: 110 } },
    ];
    assert.deepEqual(transformRows(rows, 'difference'), [
      { ts: 2, device: 'a', value: { x: 1 } },
      { ts: 3, device: 'b', value: { x: 10 } },
    ]);
  });

  it('have no slope where no time has passed, and nothing to say of no rows', () => {
    const rows = [1, 2].map((x) => ({ ts: 5, value: { x } }));
    assert.deepEqual(xs('derivative', rows), []);
    assert.deepEqual(transformRows([], 'abs'), []);
    assert.deepEqual(transformRows([{ ts: 1, value: { a: 'b' } }], 'abs'), []);
  });

  it('are known by name', () => {
    assert.equal(parseTransform('cumulative_sum'), 'cumulative_sum');
    assert.throws(() => parseTransform('toString'), withCode('IOTMP_ERR_CONFIG'));
  });
});
