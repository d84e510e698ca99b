import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import {
  checkedInterval,
  coarseInterval,
  IntervalCounts,
  sharedInterval,
} from '../../../../src/broker/hub/stream-intervals';

const intervals = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 8 });

describe('interval of a shared stream', () => {
  it('is the greatest common divisor when that is at least 250 ms', () => {
    assert.equal(sharedInterval([1000, 1500]), 500);
    assert.equal(sharedInterval([750, 1000]), 250);
  });

  it('is the greatest common divisor when that equals the smallest', () => {
    assert.equal(sharedInterval([100, 1000, 300]), 100);
    assert.equal(sharedInterval([40]), 40);
  });

  it('is the smallest otherwise', () => {
    assert.equal(sharedInterval([1000, 1300]), 1000);
    assert.equal(sharedInterval([200, 300]), 200);
  });

  it('is 0 without subscribers', () => {
    assert.equal(sharedInterval([]), 0);
  });

  it('is never above the smallest, and either it or a divisor of all from 250 ms on', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const shared = sharedInterval(list);
        const smallest = Math.min(...list);
        assert.ok(shared <= smallest);
        assert.ok(shared === smallest || (shared >= 250 && list.every((each) => each % shared === 0)));
      }),
    );
  });

  it('follows who comes and goes', () => {
    fc.assert(
      fc.property(intervals, intervals, (stay, leave) => {
        const counts = new IntervalCounts();
        for (const interval of [...stay, ...leave]) counts.add(interval);
        assert.equal(counts.shared, sharedInterval([...stay, ...leave]));
        for (const interval of leave) counts.remove(interval);
        assert.equal(counts.shared, sharedInterval(stay));
        for (const interval of stay) counts.remove(interval);
        assert.equal(counts.shared, 0);
      }),
    );
  });
});

describe('intervals that are asked for', () => {
  it('are whole milliseconds up to a day', () => {
    assert.equal(checkedInterval(0), 0);
    assert.equal(checkedInterval(0.2), 1);
    assert.equal(checkedInterval(99.6), 100);
    assert.equal(checkedInterval(Infinity), 86_400_000);
  });

  it('are refused when they are negative or no number', () => {
    assert.throws(() => checkedInterval(-1), { code: 'IOTMP_ERR_CONFIG' });
    assert.throws(() => checkedInterval(NaN), { code: 'IOTMP_ERR_CONFIG' });
  });

  it('are full seconds to a device with a coarse clock', () => {
    assert.deepEqual(
      [1, 300, 1000, 1001, 1500, 2000].map(coarseInterval),
      [1000, 1000, 1000, 2000, 2000, 2000],
    );
  });
});
