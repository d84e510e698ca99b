import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { patternShape, PathTrie } from '../../../src/util/path-trie';

function trie(...patterns: string[]): (path: string) => [string, Record<string, string>] | undefined {
  const result = new PathTrie<string>();
  for (const pattern of patterns) result.set(pattern.split('/'), pattern);
  return (path) => {
    const match = result.find(path.split('/'));
    return match && [match.value, match.captures];
  };
}

describe('path trie', () => {
  it('takes one segment with ":name", which must not be empty', () => {
    const find = trie('a/:x');
    assert.deepEqual(find('a/1'), ['a/:x', { x: '1' }]);
    for (const path of ['a', 'a/', 'a/1/2', 'b/1']) assert.equal(find(path), undefined, path);
  });

  it('takes one segment or more with "*name", with the slash at the end', () => {
    const find = trie('a/*rest');
    assert.deepEqual(find('a/1'), ['a/*rest', { rest: '1' }]);
    assert.deepEqual(find('a/1/2/'), ['a/*rest', { rest: '1/2/' }]);
    for (const path of ['a', 'a/']) assert.equal(find(path), undefined, path);
  });

  it('ends "*name" at the literal that follows it', () => {
    const find = trie('a/*rest', 'a/*rest/api', 'b/*rest/api');
    assert.deepEqual(find('a/1/2/api'), ['a/*rest/api', { rest: '1/2' }]);
    assert.deepEqual(find('a/api'), ['a/*rest', { rest: 'api' }]);
    assert.deepEqual(find('b/1/api'), ['b/*rest/api', { rest: '1' }]);
    for (const path of ['b/1', 'b/api', 'b/1/api/']) assert.equal(find(path), undefined, path);
  });

  it('takes the rest as it is with "**name", also an empty one', () => {
    const find = trie('a/**rest');
    assert.deepEqual(find('a/1/2/'), ['a/**rest', { rest: '1/2/' }]);
    assert.deepEqual(find('a/'), ['a/**rest', { rest: '' }]);
    assert.equal(find('a'), undefined);
  });

  it('prefers a literal to ":name", and ":name" to the rest, also where it has to go back', () => {
    const find = trie('a/b/c', 'a/:x/d', 'a/*rest', ':p/b/e');
    assert.equal(find('a/b/c')?.[0], 'a/b/c');
    assert.deepEqual(find('a/b/d'), ['a/:x/d', { x: 'b' }]);
    assert.deepEqual(find('a/b/e'), ['a/*rest', { rest: 'b/e' }]);
    assert.deepEqual(find('z/b/e'), [':p/b/e', { p: 'z' }]);
  });

  it('replaces a pattern that differs in the names of captures only', () => {
    const find = trie('a/:x', 'a/:y', '**all', '**rest');
    assert.deepEqual(find('a/1'), ['a/:y', { y: '1' }]);
    assert.deepEqual(find('b'), ['**rest', { rest: 'b' }]);
  });

  it('takes names that objects have by themselves', () => {
    const find = trie('constructor/:__proto__');
    assert.deepEqual(Object.entries(find('constructor/x')?.[1] ?? {}), [['__proto__', 'x']]);
    assert.equal(find('toString/x'), undefined);
  });

  it('gives patterns one shape if they take the same paths', () => {
    const shape = (pattern: string): string => patternShape(pattern.split('/'));
    assert.equal(shape('a/:x/*rest/b'), 'a/:/*/b');
    assert.equal(shape('a/:y/*other/b'), shape('a/:x/*rest/b'));
    assert.notEqual(shape('a/**rest'), shape('a/*rest'));
    assert.notEqual(shape('a/:x'), shape('a/x'));
  });
});
