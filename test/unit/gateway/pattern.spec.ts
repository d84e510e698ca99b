import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { Pattern } from '../../../src/gateway/events/pattern';

/** Patterns that both sides understand, over few letters, so that texts match often. */
const patterns = fc.letrec<{ all: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '[a-c]', '\\.', '^', '$'),
    tie('all').map((inner) => `(${inner})`),
    tie('all').map((inner) => `(?:${inner})`),
  ),
  all: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('', 'a', 'ab'),
    fc
      .tuple(tie('atom'), fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?'))
      .map(([atom, times]) => (/^[\^$]$/.test(atom) ? atom : atom + times)),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => a + b),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => `${a}|${b}`),
  ),
})).all;

const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.'), maxLength: 8 });

describe('pattern', () => {
  it('matches what a regular expression of the language matches as a whole', () => {
    fc.assert(
      fc.property(patterns, texts, (source, text) => {
        fc.pre(source.length <= 256);
        assert.equal(new Pattern(source).matches(text), new RegExp(`^(?:${source})$`, 's').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no time for what holds up others', () => {
    const text = `${'a'.repeat(1000)}!`;
    for (const source of ['(a+)+', '(a|a)*', '(a*)*b', '.*.*.*.*.*.*x', '(a?){50}a{50}']) {
      assert.equal(new Pattern(source).matches(text), false, source);
    }
  });

  it('is refused when it is broken, too long, or repeats too much', () => {
    const bad = [
      '(',
      ')',
      'a)',
      '[a',
      '\\',
      '*',
      'a**',
      '(?=a)',
      '(?<n>a)',
      '\\1',
      '\\b',
      'a{101}',
      'a{3,2}',
      '[b-a]',
      'x'.repeat(257),
      '((a{50}){50}){2}',
    ];
    for (const source of bad) {
      assert.throws(() => new Pattern(source), { code: 'IOTMP_ERR_REQUEST' }, source);
    }
  });

  it('may have 256 characters', () => {
    assert.equal(new Pattern('x'.repeat(256)).matches('x'.repeat(256)), true);
  });
});
