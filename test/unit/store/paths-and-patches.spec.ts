import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { pickFields, valueAt } from '../../../src/store/field-path';
import { KeyTree } from '../../../src/store/key-tree';
import { mergePatch } from '../../../src/store/merge-patch';
import { packValues, unpackValues } from '../../../src/store/stored-value';
import type { Value } from '../../../src/types';

describe('paths of members', () => {
  it('lead through maps, and to keys that have dots', () => {
    const value = { a: { b: { c: 1 } }, 'a.b': 2, 'x.y': { z: 3 }, list: [1] };
    assert.equal(valueAt(value, 'a.b.c'), 1);
    assert.equal(valueAt(value, 'a.b'), 2);
    assert.equal(valueAt(value, 'x.y.z'), 3);
    for (const path of ['', 'a.c', 'b', 'a.b.c.d', 'list.0', '__proto__', 'constructor.name', '.']) {
      assert.equal(valueAt(value, path), undefined, path);
    }
    assert.equal(valueAt(5, 'a'), undefined);
  });

  it('pick members, nested as they were', () => {
    const value = { a: { b: 1, c: [2] }, d: null, e: 5 };
    assert.deepEqual(pickFields(value, ['a.c', 'd', 'x']), { a: { c: [2] }, d: null });
    assert.deepEqual(pickFields(value, ['a', 'a.b']), { a: { b: 1, c: [2] }, 'a.b': 1 });
  });

  it('pick members with dots under the names that they have', () => {
    const value = { '1-0:1.8.1': 5, 'x.y': { 'z.z': 3, w: 4 }, a: { b: 1 }, 'a.b': 2 };
    assert.deepEqual(pickFields(value, ['1-0:1.8.1', 'x.y.z.z', 'a.b']), {
      '1-0:1.8.1': 5,
      'x.y': { 'z.z': 3 },
      'a.b': 2,
    });
  });

  it('make plain own members, whatever their names', () => {
    const tree = new KeyTree<number>();
    tree.at('__proto__').at('polluted').leaf = 1;
    tree.at('constructor').leaf = 2;
    tree.at('empty').at('too');
    const map = tree.toMap((number) => number);
    assert.equal(Object.getPrototypeOf(map), Object.prototype);
    assert.deepEqual(Object.keys(map), ['__proto__', 'constructor']);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});

describe('merge patches', () => {
  const cases: [target: Value, patch: Value, result: Value][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of cases) {
    it(`make ${JSON.stringify(result)} of ${JSON.stringify(target)} and ${JSON.stringify(patch)}`, () => {
      const before = structuredClone(target);
      assert.deepEqual(mergePatch(target, patch), result);
      assert.deepEqual(target, before);
    });
  }

  it('do not reach prototypes', () => {
    const patch = JSON.parse('{"__proto__":{"polluted":1}}') as Value;
    const merged = mergePatch({}, patch) as Record<string, Value>;
    assert.deepEqual(Object.keys(merged), ['__proto__']);
    assert.equal(merged.polluted, undefined);
  });
});

describe('packed values', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (values) => {
        const packed = packValues(values);
        assert.deepEqual(unpackValues(packed), values);
        assert.equal(packed.bytes.buffer.byteLength, packed.bytes.length);
      }),
    );
  });
});
