import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { isPattern, parsePattern, PathTable } from '../../../src/session/hosting/path-table';

function table(...patterns: string[]): PathTable<string> {
  const result = new PathTable<string>();
  for (const pattern of patterns) result.set(pattern, pattern);
  return result;
}

describe('PathTable', () => {
  it('finds a literal path, and nothing else', () => {
    const paths = table('led', 'gpio/4', '$fs/get');
    assert.deepEqual(paths.find('gpio/4'), { value: 'gpio/4', captures: {} });
    for (const other of ['gpio', 'gpio/4/', '/led', 'LED', '', 'led/']) {
      assert.equal(paths.find(other), undefined, other);
    }
  });

  it('takes one segment with ":name"', () => {
    const paths = table('gpio/:pin', 'gpio/:pin/mode/:mode');
    assert.deepEqual(paths.find('gpio/4'), { value: 'gpio/:pin', captures: { pin: '4' } });
    assert.deepEqual(paths.find('gpio/4/mode/pwm')?.captures, { pin: '4', mode: 'pwm' });
    for (const other of ['gpio', 'gpio/', 'gpio/4/5', 'gpio/4/mode']) {
      assert.equal(paths.find(other), undefined, other);
    }
  });

  it('takes the rest with "*name", also an empty one', () => {
    const paths = table('$fs/get/*path');
    assert.deepEqual(paths.find('$fs/get/a/b.txt')?.captures, { path: 'a/b.txt' });
    assert.deepEqual(paths.find('$fs/get/')?.captures, { path: '' });
    assert.equal(paths.find('$fs/get'), undefined);
  });

  it('prefers literals to ":name", and that to "*name"', () => {
    const paths = table('*all', 'a/*rest', 'a/:x', 'a/b', 'a/:x/c', 'a/b/:y');
    assert.equal(paths.find('a/b')?.value, 'a/b');
    assert.equal(paths.find('a/z')?.value, 'a/:x');
    assert.equal(paths.find('a/b/c')?.value, 'a/b/:y');
    assert.equal(paths.find('a/z/c')?.value, 'a/:x/c');
    assert.equal(paths.find('a/z/d')?.value, 'a/*rest');
    assert.equal(paths.find('z')?.value, '*all');
  });

  it('goes back where a literal leads nowhere', () => {
    const paths = table('a/b/c', 'a/:x/d', ':p/b/e', 'a/b/:y/f');
    assert.deepEqual(paths.find('a/b/d'), { value: 'a/:x/d', captures: { x: 'b' } });
    assert.deepEqual(paths.find('a/b/e'), { value: ':p/b/e', captures: { p: 'a' } });
    assert.deepEqual(paths.find('a/b/c/f'), { value: 'a/b/:y/f', captures: { y: 'c' } });
  });

  it('takes names that objects have by themselves', () => {
    const paths = table('__proto__', 'constructor/:__proto__');
    assert.equal(paths.find('__proto__')?.value, '__proto__');
    assert.equal(paths.find('toString'), undefined);
    const captures = paths.find('constructor/x')?.captures ?? {};
    assert.deepEqual(Object.entries(captures), [['__proto__', 'x']]);
  });

  it('forgets a removed pattern, and only that', () => {
    const paths = table('a', 'x/:p', 'x/:p/y', 'x/*r');
    paths.delete('x/:p');
    paths.delete('a');
    paths.delete('never/there');
    assert.equal(paths.size, 2);
    assert.equal(paths.find('a'), undefined);
    assert.equal(paths.find('x/1')?.value, 'x/*r');
    assert.equal(paths.find('x/1/y')?.value, 'x/:p/y');
    assert.deepEqual(
      [...paths.entries()],
      [
        ['x/:p/y', 'x/:p/y'],
        ['x/*r', 'x/*r'],
      ],
    );
  });

  it('knows patterns that differ in names only as the same', () => {
    const paths = table('x/:p');
    assert.equal(paths.has('x/:q'), true);
    assert.equal(paths.has('x/*p'), false);
    paths.set('x/:q', 'new');
    assert.equal(paths.size, 1);
    assert.deepEqual(paths.find('x/1'), { value: 'new', captures: { q: '1' } });
  });

  it('refuses patterns that nothing could match, with a reason', () => {
    const wrong = ['', '/led', 'a/:', 'a/:1', 'a/*', '*a/b', ':x/:x', ':x/*x', 'a/:b-c'];
    for (const pattern of wrong) {
      assert.throws(() => table(pattern), { code: 'IOTMP_ERR_CONFIG' }, pattern);
    }
  });

  it('tells patterns from names', () => {
    assert.equal(isPattern('a/b:c/d*'), false);
    assert.equal(isPattern('a/:b'), true);
    assert.equal(isPattern('*b'), true);
  });

  it('agrees with a slow and simple matcher', () => {
    const segment = fc.constantFrom('a', 'b', 'c', ':x', ':y', '*z');
    const usable = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join('/'))
      .filter((pattern) => {
        try {
          return parsePattern(pattern).length > 0;
        } catch {
          return false;
        }
      });
    const path = fc.array(fc.constantFrom('a', 'b', 'c', 'd', ''), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.uniqueArray(usable, { maxLength: 12 }), path, (patterns, parts) => {
        const found = table(...patterns).find(parts.join('/'));
        const takers = patterns.filter((pattern) => takes(pattern, parts));
        assert.equal(found !== undefined, takers.length > 0);
        if (found !== undefined) assert.ok(takers.some((taker) => rank(taker) === rank(found.value)));
        for (const taker of takers) assert.ok(rank(found?.value ?? '') <= rank(taker), `${taker} is better`);
      }),
    );
  });
});

function takes(pattern: string, parts: readonly string[]): boolean {
  const segments = pattern.split('/');
  const last = segments.at(-1) ?? '';
  const open = last.startsWith('*');
  if (open ? parts.length < segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, index) => {
    if (segment.startsWith('*')) return true;
    return segment.startsWith(':') ? parts[index] !== '' : segment === parts[index];
  });
}

/** Sorts patterns of one path from the best to the worst: literal, capture, rest, segment by segment. */
function rank(pattern: string): string {
  const kind = (segment: string): string =>
    segment.startsWith('*') ? '2' : segment.startsWith(':') ? '1' : '0';
  return pattern.split('/').map(kind).join('');
}
