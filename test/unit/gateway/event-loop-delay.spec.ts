import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { EventLoopDelay } from '../../../src/gateway/metrics/event-loop-delay';
import { cleanUp } from '../../support/clean-up';
import { FakeClock } from '../support/fake-clock';

/** Keeps the event loop from its work. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('delay of the event loop', () => {
  it('is measured only while somebody looks: it would wake an idle machine', async () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    cleanUp(() => delay.close());
    assert.equal(delay.measuring, false);
    assert.deepEqual(delay.look([50, 100]), [
      [50, 0],
      [100, 0],
    ]);
    assert.equal(delay.measuring, true);
    await clock.advance(149_000);
    delay.look([50]);
    await clock.advance(149_000);
    assert.equal(delay.measuring, true);
    await clock.advance(1_000);
    assert.equal(delay.measuring, false);
    assert.equal(clock.pending, 0);
  });

  it('is what came late, without the time between two measurements', async () => {
    const delay = new EventLoopDelay(new FakeClock());
    cleanUp(() => delay.close());
    delay.look([100]);
    await pause(60);
    block(200);
    await pause(60);
    const [[, longest] = []] = delay.look([100]);
    assert.ok(longest !== undefined && longest > 0.1 && longest < 5, String(longest));
    assert.deepEqual(delay.look([100]), [[100, 0]]);
  });
});
