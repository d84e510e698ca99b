import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RowClock } from '../../../src/store/sqlite/tables/row-clock';

describe('the clock of rows', () => {
  it('forgets writers whose last row is older than now', () => {
    const clock = new RowClock({ has: () => false });
    for (let index = 0; index < 100; index++) clock.next(1, `device${index}`, 1000);
    assert.equal(clock.size, 100);
    assert.equal(clock.next(1, 'device0', 1001), 1001);
    assert.equal(clock.size, 1);
  });

  it('remembers 10,000 writers of the same millisecond, and forgets the oldest for another', () => {
    const clock = new RowClock({ has: () => false });
    for (let index = 0; index <= 10_000; index++) clock.next(1, `device${index}`, 1000);
    assert.equal(clock.size, 10_000);
    assert.equal(clock.next(1, 'device10000', 1000), 1001);
    assert.equal(clock.next(1, 'device0', 1000), 1000);
  });
});
