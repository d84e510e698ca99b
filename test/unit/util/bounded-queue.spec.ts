import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { BoundedQueue, type QueueLimits } from '../../../src/util/bounded-queue';

function queue(limits: Partial<QueueLimits>): BoundedQueue<string> {
  return new BoundedQueue({ items: Infinity, bytes: Infinity, past: 'drop-oldest', ...limits });
}

function drain(from: BoundedQueue<string>): string[] {
  const items: string[] = [];
  for (let item = from.shift(); item !== undefined; item = from.shift()) items.push(item);
  return items;
}

describe('BoundedQueue', () => {
  it('lets the oldest give way past its items or its bytes, and counts them', () => {
    for (const limits of [{ items: 2 }, { bytes: 20 }]) {
      const waiting = queue(limits);
      for (const item of ['a', 'b', 'c', 'd']) waiting.push(item, 10);
      assert.deepEqual([waiting.dropped, waiting.length, waiting.bytes], [2, 2, 20]);
      assert.deepEqual(drain(waiting), ['c', 'd']);
      assert.deepEqual([waiting.length, waiting.bytes], [0, 0]);
    }
  });

  it('lets what is larger than the queue give way itself', () => {
    const waiting = queue({ bytes: 20 });
    waiting.push('a', 10);
    waiting.push('large', 21);
    assert.deepEqual([drain(waiting), waiting.dropped, waiting.bytes], [[], 2, 0]);
  });

  it('refuses what is too much where nothing gives way, and keeps the rest', () => {
    const waiting = queue({ bytes: 20, past: 'refuse' });
    waiting.push('a', 10);
    waiting.push('b', 10);
    assert.throws(() => waiting.push('c', 1), { code: 'IOTMP_ERR_BUSY', message: /20 bytes wait/ });
    assert.deepEqual([waiting.dropped, drain(waiting)], [0, ['a', 'b']]);
    waiting.push('d', 20);
    assert.deepEqual(drain(waiting), ['d']);
  });

  it('has no more room than it is told, whatever its own limit', () => {
    const waiting = queue({ bytes: 100 });
    for (const item of ['a', 'b', 'c']) waiting.push(item, 10, 25);
    assert.deepEqual(drain(waiting), ['b', 'c']);
    waiting.push('d', 10, -5);
    assert.deepEqual([drain(waiting), waiting.bytes], [[], 0]);
  });

  it('is a list that loses its head, whatever is put in and taken out', () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('shift' as const));
    const run = fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.integer({ min: 1, max: 60 }),
      (steps, items) => {
        const waiting = queue({ items });
        const model: string[] = [];
        let dropped = 0;
        for (const [at, one] of steps.entries()) {
          if (one === 'shift') {
            assert.equal(waiting.shift(), model.shift());
            continue;
          }
          waiting.push(String(at), one);
          model.push(String(at));
          if (model.length > items) dropped += Number(model.shift() !== undefined);
          assert.equal(waiting.length, model.length);
        }
        assert.equal(waiting.dropped, dropped);
        assert.deepEqual(drain(waiting), model);
        assert.equal(waiting.bytes, 0);
      },
    );
    fc.assert(run, { numRuns: 200 });
  });
});
