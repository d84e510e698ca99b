import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RateLimiter } from '../../../src/util/rate-limiter';
import { FakeClock } from '../support/fake-clock';

describe('rate limiter', () => {
  it('gives turns back with the time, up to the burst', async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ perSecond: 2, burst: 2 }, clock);
    assert.deepEqual([limiter.take('a'), limiter.take('a'), limiter.take('a')], [0, 0, 1]);
    await clock.advance(500);
    assert.deepEqual([limiter.take('a'), limiter.take('a')], [0, 1]);
    await clock.advance(60_000);
    assert.deepEqual([limiter.take('a'), limiter.take('a'), limiter.take('a')], [0, 0, 1]);
    assert.equal(limiter.take('b'), 0);
  });

  it('tells in how many whole seconds the next turn is free', async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ perSecond: 0.1, burst: 1 }, clock);
    assert.deepEqual([limiter.take('a'), limiter.take('a')], [0, 10]);
    await clock.advance(8_500);
    assert.equal(limiter.take('a'), 2);
  });

  it('forgets the key that was seen longest ago where there are more than 10,000', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, new FakeClock());
    for (const key of ['first', 'second', 'first']) limiter.take(key);
    for (let count = 2; count < 10_000; count++) limiter.take(`other ${count}`);
    assert.equal(limiter.take('first'), 1);
    limiter.take('one more');
    assert.equal(limiter.take('first'), 1);
    assert.equal(limiter.take('second'), 0);
  });

  it('takes turns back, and forgets a key that has all of its turns', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 2 }, new FakeClock());
    limiter.take('a');
    limiter.take('a');
    assert.equal(limiter.reserve('a', 0).isTaken, false);
    limiter.giveBack('a');
    assert.equal(limiter.size, 1);
    assert.equal(limiter.reserve('a', 0).isTaken, true);
    limiter.giveBack('a');
    limiter.giveBack('a');
    assert.equal(limiter.size, 0);
    limiter.giveBack('a');
    assert.equal(limiter.reserve('a', 0).isTaken, true);
  });
});
