import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { EventFilter } from '../../../../src/services/events/event-filter';
import type { Value } from '../../../../src/types';

function passes(filters: Value | undefined, fields: Record<string, Value>): boolean {
  return new EventFilter(filters).matches({ event: 'x', user: 'anna', ts: 1, ...fields });
}

describe('event filter', () => {
  it('lets everything pass that it does not name', () => {
    for (const filters of [undefined, null, {}]) assert.equal(passes(filters, { device: 'pump' }), true);
  });

  it('wants all of its fields to be equal', () => {
    assert.equal(passes({ device: 'pump' }, { device: 'pump', state: 'x' }), true);
    assert.equal(passes({ device: 'pump' }, { device: 'Pump' }), false);
    assert.equal(passes({ device: 'pump', state: 'y' }, { device: 'pump', state: 'x' }), false);
    assert.equal(passes({ device: 'pump' }, {}), false);
    assert.equal(passes({ n: 5, on: true, none: null }, { n: 5, on: true, none: null }), true);
    assert.equal(passes({ n: '5' }, { n: 5 }), true, 'programs send texts');
    assert.equal(passes({ n: 5 }, { n: '5' }), false);
    assert.equal(passes({ none: null }, {}), false);
    assert.equal(passes({ toString: '*' }, {}), false);
    assert.equal(passes({ payload: '*' }, { payload: { a: 1 } }), false);
  });

  it('lets an item of a list match', () => {
    assert.equal(passes({ project: 'a@b' }, { project: ['x', 'a@b'] }), true);
    assert.equal(passes({ project: 'a*' }, { project: ['x', 'a@b'] }), true);
    assert.equal(passes({ project: 'a@b' }, { project: ['x'] }), false);
    assert.equal(passes({ project: '*' }, { project: [] }), false);
  });

  it('takes * for any run of characters', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '.', '*'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        const escaped = pattern.replaceAll('.', '\\.').replaceAll('*', '[^]*');
        const expected = new RegExp(`^${escaped}$`).test(value);
        assert.equal(passes({ f: pattern }, { f: value }), pattern === value || expected);
      }),
      { numRuns: 500 },
    );
  });

  it('does not take long for the worst of patterns', () => {
    const begin = Date.now();
    const pattern = `${'*a'.repeat(100)}*b`;
    for (let i = 0; i < 100; i++) assert.equal(passes({ f: pattern }, { f: 'a'.repeat(256) }), false);
    assert.equal(passes({ f: 'a*' }, { f: 'a'.repeat(257) }), false, 'too long for a *');
    assert.ok(Date.now() - begin < 5_000);
  });

  it('is refused when it is none', () => {
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`f${i}`, 1]));
    for (const filters of [
      5,
      'x',
      [],
      { a: {} },
      { a: ['b'] },
      { a: 'x'.repeat(257) },
      { ['x'.repeat(257)]: 1 },
      many,
    ]) {
      assert.throws(() => new EventFilter(filters), { code: 'IOTMP_ERR_PROTOCOL' });
    }
  });
});
