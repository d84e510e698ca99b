import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { OrderedOutcomes } from '../../../src/services/ordered-outcomes';

interface Step {
  readonly key: string;
  readonly fails: boolean;
  /** When it settles, among the others. */
  readonly rank: number;
}

describe('ordered outcomes', () => {
  it('are dealt with in the order in which the work began, each key for itself', async () => {
    const steps = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b'), fails: fc.boolean(), rank: fc.nat(20) }),
      { maxLength: 12 },
    );
    await fc.assert(fc.asyncProperty(steps, runSteps));
  });

  it('say what is pending, and forget what is over', async () => {
    const outcomes = new OrderedOutcomes();
    assert.equal(outcomes.pending('a'), undefined);
    const work = Promise.withResolvers<number>();
    let told = 0;
    const outcome = outcomes.add('a', work.promise, (value) => {
      told = value;
    });
    const pending = outcomes.pending('a');
    assert.ok(pending);
    assert.equal(outcomes.pending('b'), undefined);
    work.resolve(5);
    await pending;
    assert.equal(told, 5);
    await outcome;
    assert.deepEqual([outcomes.size, outcomes.pending('a')], [0, undefined]);
  });

  it('that throw cost only themselves', async () => {
    const outcomes = new OrderedOutcomes();
    const first = outcomes.add('a', Promise.resolve(1), () => {
      throw new Error('outcome');
    });
    const second = outcomes.add('a', Promise.resolve(2), (value) => value * 2);
    await assert.rejects(first, { message: 'outcome' });
    assert.equal(await second, 4);
    assert.equal(outcomes.size, 0);
  });
});

async function runSteps(steps: Step[]): Promise<void> {
  const outcomes = new OrderedOutcomes();
  const told: number[] = [];
  const works = steps.map(() => Promise.withResolvers<number>());
  const results = steps.map(({ key }, index) => {
    const work = works[index]?.promise ?? Promise.reject(new Error('no work'));
    return outcomes.add(key, work, (value) => {
      told.push(value);
      return value;
    });
  });
  const settled = Promise.allSettled(results);
  const order = steps.map((step, index) => ({ ...step, index })).sort((a, b) => a.rank - b.rank);
  for (const { index, fails } of order) {
    if (fails) works[index]?.reject(new Error(`${index}`));
    else works[index]?.resolve(index);
    await new Promise(setImmediate);
  }
  const expected = steps.map(({ fails }, index) => (fails ? 'rejected' : index));
  assert.deepEqual(
    (await settled).map((one) => (one.status === 'fulfilled' ? one.value : one.status)),
    expected,
  );
  for (const key of ['a', 'b']) {
    const ofKey = told.filter((index) => steps[index]?.key === key);
    assert.deepEqual(
      ofKey,
      [...ofKey].sort((a, b) => a - b),
    );
  }
  assert.equal(told.length, steps.filter(({ fails }) => !fails).length);
  assert.equal(outcomes.size, 0);
}
