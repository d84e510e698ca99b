import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  codesOf,
  includesAll,
  overlaps,
  topicSets,
  wildcardSet,
  type TextSet,
} from '../../../src/rights/text-set';
import { matchesWildcard, wildcardMatcher } from '../../../src/rights/wildcard';

/** All texts of some characters, up to a length. */
function textsOf(characters: string, length: number): string[] {
  if (length === 0) return [''];
  const shorter = textsOf(characters, length - 1);
  const longest = shorter.filter((text) => text.length === length - 1);
  return [...shorter, ...longest.flatMap((text) => characters.split('').map((one) => text + one))];
}

const PATTERNS = textsOf('a/*', 4);
const TEXTS = textsOf('a/', 6);

/** A pattern as a regular expression, which has to say the same. */
function expression(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
}

describe('sets of texts', () => {
  it('hold what their pattern stands for', () => {
    for (const pattern of PATTERNS) {
      const matches = wildcardMatcher(pattern);
      for (const text of TEXTS) {
        const expected = expression(pattern).test(text);
        assert.equal(matchesWildcard(pattern, text), expected, `${pattern} ${text}`);
        assert.equal(matches(text), expected, `${pattern} ${text}`);
        assert.equal(overlaps(wildcardSet(pattern), codesOf(text)), expected, `${pattern} ${text}`);
        assert.equal(includesAll(wildcardSet(pattern), codesOf(text)), expected, `${pattern} ${text}`);
      }
    }
  });

  it('overlap exactly where they share a text, and include no set with a text that they lack', () => {
    const sets: [string, TextSet, Set<string>][] = [
      ...PATTERNS.map((pattern): [string, TextSet, Set<string>] => [
        pattern,
        wildcardSet(pattern),
        new Set(TEXTS.filter((text) => expression(pattern).test(text))),
      ]),
      ...['+', 'a/+', '+/a', '+/+'].map((filter): [string, TextSet, Set<string>] => [
        filter,
        topicSets(filter, false)[0]!,
        new Set(TEXTS.filter((text) => new RegExp(`^${filter.replaceAll('+', '[^/]*')}$`).test(text))),
      ]),
    ];
    for (const [name, one, texts] of sets) {
      for (const [other, set, others] of sets) {
        const shared = [...texts].some((text) => others.has(text));
        assert.equal(overlaps(one, set), shared, `${name} and ${other}`);
        if (includesAll(one, set))
          assert.ok(
            [...others].every((text) => texts.has(text)),
            `${name} has ${other}`,
          );
      }
      assert.equal(includesAll(one, one), true, name);
    }
  });

  it('of a tree of topics have its root', () => {
    const sets = topicSets('a/#', false);
    const has = (topic: string): boolean => sets.some((set) => includesAll(set, codesOf(topic)));
    assert.deepEqual(['a', 'a/b', 'a/b/c', 'ab', ''].filter(has), ['a', 'a/b', 'a/b/c']);
    assert.equal(
      topicSets('#', false).some((set) => includesAll(set, codesOf('a/b'))),
      true,
    );
  });
});
