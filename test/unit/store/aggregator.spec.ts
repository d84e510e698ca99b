import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import {
  parseAggregationFunction,
  type AggregationFunction,
} from '../../../src/store/aggregation/aggregation-function';
import { Aggregator, type AggregatorOptions } from '../../../src/store/aggregation/aggregator';
import type { BucketRow } from '../../../src/store/bucket-row';
import type { Value } from '../../../src/types';
import { withCode } from './support/stores';

function aggregate(options: Partial<AggregatorOptions>, rows: readonly BucketRow[]): BucketRow[] {
  const aggregator = new Aggregator({ span: '1h', function: 'mean', ...options });
  const done = rows.flatMap(({ ts, device = '', value }) => aggregator.add(ts, device, value));
  return [...done, ...aggregator.finish()];
}

/** What one span makes of the values of a member. */
function resultOf(name: AggregationFunction, values: readonly Value[]): Value | undefined {
  return aggregate(
    { function: name },
    values.map((x, ts) => ({ ts, value: { x } })),
  )[0]?.value.x;
}

const naive: Record<AggregationFunction, (values: number[]) => number> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  mean: (values) => naive.sum(values) / values.length,
  count: (values) => values.length,
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  spread: (values) => Math.max(...values) - Math.min(...values),
  stddev: (values) => {
    const mean = naive.mean(values);
    return Math.sqrt(naive.sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
  },
  median: (values) => {
    const sorted = values.toSorted((one, other) => one - other);
    return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
  },
  mode: (values) => {
    const counts = new Map(values.map((value) => [value, values.filter((other) => other === value).length]));
    const most = Math.max(...counts.values());
    return Math.min(...[...counts].filter(([, count]) => count === most).map(([value]) => value));
  },
};

describe('aggregation', () => {
  it('computes every function as the textbook does', () => {
    const value = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }));
    const names = Object.keys(naive) as AggregationFunction[];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(value, { minLength: 2, maxLength: 30 }),
        (name, values) => {
          const result = resultOf(name, values) as number;
          const expected = naive[name](values);
          assert.ok(
            Math.abs(result - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
            `${result}, not ${expected}`,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('loses nothing to rounding', () => {
    const tenths = Array.from({ length: 10 }, () => 0.1);
    assert.equal(resultOf('sum', tenths), 1);
    assert.equal(resultOf('mean', tenths), 0.1);
    assert.equal(resultOf('sum', [1e16, 1, -1e16]), 1);
    assert.equal(resultOf('stddev', [1e9 + 1, 1e9 + 2, 1e9 + 3]), 1);
    assert.equal(resultOf('median', [1.7e308, 1.7e308]), 1.7e308);
    assert.equal(resultOf('sum', [1.7e308, 1.7e308]), Infinity);
  });

  it('has no deviation of a single number', () => {
    assert.equal(resultOf('stddev', [5]), null);
    assert.equal(resultOf('spread', [5]), 0);
  });

  it('passes over what is no finite number', () => {
    const values = [1, 'a', null, true, [9], Buffer.from([9]), NaN, Infinity, 3n, '7'];
    assert.equal(resultOf('sum', values), 4);
    assert.equal(resultOf('count', values), 2);
    assert.deepEqual(
      aggregate({}, [
        { ts: 0, value: { x: 'a' } },
        { ts: 1, value: {} },
      ]),
      [],
    );
  });

  it('makes a row for each span, also of rows from the newest to the oldest', () => {
    const rows = [0, 20, 40, 60, 80, 200].map((minute) => ({ ts: minute * 60_000, value: { m: minute } }));
    const expected = [
      { ts: 0, value: { m: 20 } },
      { ts: 3_600_000, value: { m: 70 } },
      { ts: 3 * 3_600_000, value: { m: 200 } },
    ];
    assert.deepEqual(aggregate({}, rows), expected);
    assert.deepEqual(aggregate({}, rows.toReversed()), expected.toReversed());
  });

  it('finds numbers in maps, by path', () => {
    const rows = [
      { ts: 0, value: { at: { lat: 1, lon: 2, name: 'x' }, t: 1 } },
      { ts: 1, value: { at: { lat: 3 }, t: 2, 'a.b': 5 } },
    ];
    assert.deepEqual(aggregate({}, rows)[0]?.value, { at: { lat: 2, lon: 2 }, t: 1.5, 'a.b': 5 });
    assert.deepEqual(aggregate({ fields: ['at.lat', 'a.b', 'no'] }, rows)[0]?.value, {
      at: { lat: 2 },
      'a.b': 5,
    });
    assert.deepEqual(aggregate({ fields: ['at'] }, rows)[0]?.value, { at: { lat: 2, lon: 2 } });
  });

  it('names members as the rows do, also with dots', () => {
    const rows = [1, 2].map((n) => ({
      ts: n,
      value: { '1-0:1.8.1': n, 'at.lat': 10 * n, at: { lat: 100 * n } },
    }));
    const expected = { '1-0:1.8.1': 2, 'at.lat': 20, at: { lat: 200 } };
    assert.deepEqual(aggregate({ function: 'max' }, rows)[0]?.value, expected);
    assert.deepEqual(aggregate({ function: 'max', fields: ['1-0:1.8.1'] }, rows)[0]?.value, {
      '1-0:1.8.1': 2,
    });
  });

  it('keeps a path as one key where its first part is a number', () => {
    const rows = [
      { ts: 0, value: { a: 1 } },
      { ts: 1, value: { a: { b: 2 } } },
    ];
    assert.deepEqual(aggregate({}, rows)[0]?.value, { a: 1, 'a.b': 2 });
    assert.deepEqual(aggregate({}, rows.toReversed())[0]?.value, { 'a.b': 2, a: 1 });
  });

  it('is not harmed by keys that are special, or have many dots', () => {
    const dots = '.'.repeat(50_000);
    const value = { ['__proto__']: 1, constructor: { prototype: 2 }, [dots]: 3, '': 4 } as Record<
      string,
      Value
    >;
    const [row] = aggregate({}, [{ ts: 0, value }]);
    assert.deepEqual(Object.keys(row!.value).sort(), ['', dots, '__proto__', 'constructor'].sort());
    assert.equal(({} as Record<string, unknown>).prototype, undefined);
  });

  it('tells devices apart if asked to', () => {
    const rows = [
      { ts: 0, device: 'a', value: { t: 1 } },
      { ts: 1, device: 'b', value: { t: 5 } },
      { ts: 2, device: 'a', value: { t: 3 } },
      { ts: 3, value: { t: 7 } },
    ];
    assert.deepEqual(aggregate({ groupBy: 'device' }, rows), [
      { ts: 0, device: 'a', value: { t: 2 } },
      { ts: 0, device: 'b', value: { t: 5 } },
      { ts: 0, value: { t: 7 } },
    ]);
    assert.deepEqual(aggregate({}, rows), [{ ts: 0, value: { t: 4 } }]);
  });

  it('refuses to hold more numbers than its limit, and holds those of one span only', () => {
    const rows = (count: number, step: number): BucketRow[] =>
      Array.from({ length: count }, (_, index) => ({ ts: index * step, value: { x: index } }));
    const tooLarge = withCode('IOTMP_ERR_TOO_LARGE');
    assert.throws(() => aggregate({ function: 'median', maxHeld: 10 }, rows(10, 1)), tooLarge);
    assert.throws(() => aggregate({ function: 'mode', maxHeld: 10 }, rows(10, 1)), tooLarge);
    assert.equal(aggregate({ function: 'median', maxHeld: 10 }, rows(100, 600_000)).length, 17);
    assert.equal(aggregate({ function: 'mean', maxHeld: 10 }, rows(100, 1)).length, 1);
    const wide = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, 1]));
    assert.throws(() => aggregate({ maxHeld: 10 }, [{ ts: 0, value: wide }]), tooLarge);
  });

  it('knows functions by name', () => {
    assert.equal(parseAggregationFunction('avg'), 'mean');
    assert.equal(parseAggregationFunction('stddev'), 'stddev');
    assert.throws(() => parseAggregationFunction('first'), withCode('IOTMP_ERR_CONFIG'));
  });
});
