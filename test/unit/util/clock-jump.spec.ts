import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import { systemClock } from '../../../src/util/clock';

describe('the clock of timers', () => {
  it('does not follow the clock of the machine when that jumps', () => {
    const { now } = Date;
    cleanUp(() => (Date.now = now));
    const before = systemClock.now();
    for (const jump of [1e9, -1e9]) {
      Date.now = () => now() + jump;
      const passed = systemClock.now() - before;
      assert.ok(passed >= 0 && passed < 100_000, `${passed} ms`);
    }
  });
});
