import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LineBudget } from '../../../src/util/line-budget';
import { cleanUp } from '../../support/clean-up';
import { FakeClock } from '../support/fake-clock';

function start(): { clock: FakeClock; told: string[]; budget: LineBudget } {
  const clock = new FakeClock();
  const told: string[] = [];
  const budget = new LineBudget(clock, (line) => told.push(line));
  cleanUp(() => {
    budget.close();
    assert.equal(clock.pending, 0);
  });
  return { clock, told, budget };
}

describe('budget of lines', () => {
  it('has ten lines at once, and one in 5 s', async () => {
    const { clock, budget } = start();
    const allowed = (count: number): number =>
      Array.from({ length: count }, () => budget.allows()).filter(Boolean).length;
    assert.equal(allowed(10), 10);
    assert.equal(allowed(1), 0);
    await clock.advance(5000);
    assert.equal(allowed(5), 1);
  });

  it('has five lines about one device, and leaves the rest to others', () => {
    const { budget } = start();
    const allowed = ['a', 'b'].map(
      (name) => Array.from({ length: 8 }, () => budget.allows(name)).filter(Boolean).length,
    );
    assert.deepEqual(allowed, [5, 5]);
  });

  it('tells after 4 s how many were left out, then once a minute while it goes on', async () => {
    const { clock, told, budget } = start();
    for (let second = 0; second < 130; second++) {
      for (let i = 0; i < 100; i++) budget.allows('anna/pump');
      budget.allows('anna/lamp');
      await clock.advance(1000);
    }
    assert.equal(told.length, 3);
    assert.match(told[0]!, /^\d+ more lines were left out, \d+ of them about anna\/pump$/);
    await clock.advance(60_000);
    assert.equal(told.length, 4);
    assert.equal(clock.pending, 0);
  });

  it('tells the rest at the end', () => {
    const { told, budget } = start();
    for (let i = 0; i < 12; i++) budget.allows();
    budget.close();
    assert.deepEqual(told, ['2 more lines were left out']);
  });
});
