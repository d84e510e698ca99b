import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ByteBudget } from '../../../src/util/byte-budget';

describe('budget of bytes', () => {
  it('gives each owner up to its bound, and nothing past it', () => {
    const budget = new ByteBudget(() => ({ perOwner: 100, total: 1000 }));
    assert.equal(budget.take('a', 60), true);
    assert.equal(budget.take('a', 41), false);
    assert.equal(budget.take('a', 40), true);
    assert.equal(budget.take('b', 100), true);
    assert.deepEqual([budget.bytesOf('a'), budget.bytes, budget.room('a')], [100, 200, 0]);
  });

  it('gives all together up to the bound of all', () => {
    const budget = new ByteBudget(() => ({ perOwner: 100, total: 150 }));
    assert.equal(budget.take('a', 100), true);
    assert.equal(budget.room('b'), 50);
    assert.equal(budget.take('b', 51), false);
    assert.equal(budget.take('b', 50), true);
    budget.change('a', -100);
    assert.deepEqual([budget.bytesOf('a'), budget.room('b')], [0, 50]);
  });

  it('bounds bytes without an owner together with all others only', () => {
    const budget = new ByteBudget(() => ({ perOwner: 100, total: 250 }));
    assert.equal(budget.take(undefined, 200), true);
    assert.deepEqual([budget.bytesOf(undefined), budget.bytes, budget.room('a')], [0, 200, 50]);
    assert.equal(budget.take(undefined, 51), false);
    budget.change(undefined, -200);
    assert.deepEqual([budget.bytes, budget.room('a'), budget.room(undefined)], [0, 100, 250]);
  });
});
