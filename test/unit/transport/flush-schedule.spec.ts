import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FlushSchedule } from '../../../src/transport/flush-schedule';

const nextRound = () => new Promise((resolve) => setImmediate(resolve));

/** A schedule that counts its flushes, at the start of a round. */
async function schedule(): Promise<{ plan: FlushSchedule; flushes: () => number }> {
  let count = 0;
  const plan = new FlushSchedule({ flush: () => count++, handleFault: assert.ifError });
  await nextRound();
  return { plan, flushes: () => count };
}

describe('The schedule of flushes', () => {
  it('has a lone message written at the end of its turn', async () => {
    const { plan, flushes } = await schedule();
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        plan.request();
        seen.push(flushes());
      });
      setImmediate(() => {
        seen.push(flushes());
        resolve();
      });
    });
    assert.deepEqual(seen, [0, 1]);
  });

  it('has what later turns of a round bring written together, after them', async () => {
    const { plan, flushes } = await schedule();
    const seen: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      setImmediate(() => {
        plan.request();
        seen.push(flushes());
      });
    }
    await nextRound();
    assert.deepEqual(seen, [0, 1, 1, 1, 1]);
    await nextRound();
    assert.equal(flushes(), 2);
  });

  it('has the first message of the next round written at once again', async () => {
    const { plan, flushes } = await schedule();
    for (let round = 1; round <= 3; round++) {
      plan.request();
      await nextRound();
      assert.equal(flushes(), round);
    }
  });

  it('writes nothing after it was cancelled', async () => {
    const { plan, flushes } = await schedule();
    plan.request();
    await Promise.resolve();
    setImmediate(() => plan.request());
    setImmediate(() => plan.request());
    setImmediate(() => plan.cancel());
    await nextRound();
    const before = flushes();
    await nextRound();
    await nextRound();
    assert.equal(flushes(), before);
  });
});
