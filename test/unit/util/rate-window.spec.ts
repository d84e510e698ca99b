import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RateWindow } from '../../../src/util/rate-window';
import { FakeClock } from '../support/fake-clock';

const OPTIONS = { limit: 3, windowMs: 1000 };

describe('rate window', () => {
  it('notices the event that reaches the limit, and each one after it', () => {
    const rate = new RateWindow(OPTIONS, new FakeClock());
    assert.deepEqual([rate.note(), rate.note(), rate.note(), rate.note()], [false, false, true, true]);
  });

  it('counts the events of any window, wherever it begins', async () => {
    const clock = new FakeClock();
    const rate = new RateWindow(OPTIONS, clock);
    rate.note();
    await clock.advance(900);
    rate.note();
    await clock.advance(99);
    assert.equal(rate.note(), true);
    await clock.advance(902);
    assert.equal(rate.note(), false);
    await clock.advance(50);
    assert.equal(rate.note(), true);
  });

  it('forgets an event exactly when the window has passed', async () => {
    const clock = new FakeClock();
    const rate = new RateWindow(OPTIONS, clock);
    rate.note();
    rate.note();
    await clock.advance(1000);
    assert.equal(rate.note(), false);
  });

  it('tells whether the limit is reached without counting another event', async () => {
    const clock = new FakeClock();
    const rate = new RateWindow(OPTIONS, clock);
    rate.note();
    rate.note();
    assert.equal(rate.isReached, false);
    rate.note();
    assert.deepEqual([rate.isReached, rate.isReached], [true, true]);
    await clock.advance(1000);
    assert.equal(rate.isReached, false);
  });
});
