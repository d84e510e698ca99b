import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IdSequence } from '../../../src/session/requests/id-sequence';

const free = (): boolean => false;

describe('IdSequence', () => {
  it('begins with 1 and counts on', () => {
    const ids = new IdSequence();
    assert.deepEqual([ids.next(free), ids.next(free), ids.next(free)], [1, 2, 3]);
  });

  it('wraps after 65535 and leaves out 0', () => {
    const ids = new IdSequence(65533);
    assert.deepEqual([ids.next(free), ids.next(free), ids.next(free)], [65534, 65535, 1]);
  });

  it('leaves out ids that are in use', () => {
    const taken = new Set([2, 3, 65535]);
    const ids = new IdSequence(1);
    assert.equal(
      ids.next((id) => taken.has(id)),
      4,
    );
    const last = new IdSequence(65534);
    assert.equal(
      last.next((id) => taken.has(id)),
      1,
    );
  });

  it('says so when every id is in use', () => {
    const ids = new IdSequence();
    assert.throws(() => ids.next(() => true), { code: 'IOTMP_ERR_BUSY' });
    assert.equal(ids.next(free) > 0, true);
  });
});
