import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BoundedMap } from '../../../src/util/bounded-map';

describe('bounded map', () => {
  it('forgets the entry that was set longest ago', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2).set('c', 3);
    assert.deepEqual(
      [...map],
      [
        ['b', 2],
        ['c', 3],
      ],
    );
  });

  it('takes an entry that is set again for the newest', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
    assert.deepEqual(
      [...map],
      [
        ['a', 3],
        ['c', 4],
      ],
    );
  });

  it('does not take an entry that is read for newer', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2);
    assert.equal(map.get('a'), 1);
    map.set('c', 3);
    assert.equal(map.has('a'), false);
  });

  it('has room again for each entry that was deleted', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2);
    map.delete('a');
    map.set('c', 3);
    assert.deepEqual([...map.keys()], ['b', 'c']);
  });

  it('passes over entries that are pinned', () => {
    const map = new BoundedMap<string, number>(2, { isPinned: (value) => value === 1 });
    map.set('a', 1).set('b', 2).set('c', 3);
    assert.deepEqual([...map.keys()], ['a', 'c']);
  });

  it('grows where all others are pinned, and shrinks when they no longer are', () => {
    let arePinned = true;
    const map = new BoundedMap<string, number>(2, { isPinned: () => arePinned });
    map.set('a', 1).set('b', 2).set('c', 3).set('d', 4);
    assert.deepEqual([...map.keys()], ['a', 'b', 'c', 'd']);
    arePinned = false;
    map.set('e', 5);
    assert.deepEqual([...map.keys()], ['d', 'e']);
  });

  it('tells which value gave way, but not which was replaced or deleted', () => {
    const forgotten: number[] = [];
    const map = new BoundedMap<string, number>(1, { onForget: (value) => forgotten.push(value) });
    map.set('a', 1).set('a', 2).set('b', 3);
    map.delete('b');
    map.set('c', 4);
    assert.deepEqual(forgotten, [2]);
  });
});
