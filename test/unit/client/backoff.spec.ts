import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { Backoff, STEADY_MS } from '../../../src/util/backoff';

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

describe('backoff', () => {
  it('doubles the delay up to the limit', () => {
    const backoff = new Backoff({ minMs: 1000, maxMs: 10_000, random: () => 1 });
    assert.deepEqual(delays(backoff, 6), [1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('takes off a half at most', () => {
    const backoff = new Backoff({ minMs: 1000, maxMs: 10_000, random: () => 0 });
    assert.deepEqual(delays(backoff, 5), [500, 1000, 2000, 4000, 5000]);
  });

  it('begins anew after a reset', () => {
    const backoff = new Backoff({ minMs: 1000, maxMs: 10_000, random: () => 1 });
    delays(backoff, 3);
    backoff.reset();
    assert.equal(backoff.next(), 1000);
  });

  it('begins anew after a steady time only', () => {
    const backoff = new Backoff({ minMs: 1000, maxMs: 10_000, random: () => 1 });
    delays(backoff, 2);
    backoff.noteUptime(STEADY_MS - 1);
    assert.equal(backoff.next(), 4000);
    backoff.noteUptime(STEADY_MS);
    assert.equal(backoff.next(), 1000);
  });

  it('stays between half of the shortest and the longest delay, however often it fails', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 0, max: 2000 }),
        (minMs, more, random, failures) => {
          const maxMs = minMs + more;
          const backoff = new Backoff({ minMs, maxMs, random: () => random });
          const delay = delays(backoff, failures + 1).at(-1) ?? NaN;
          assert.ok(delay >= Math.floor(minMs / 2) && delay <= maxMs, `${delay}`);
        },
      ),
      { numRuns: 50 },
    );
  });
});
