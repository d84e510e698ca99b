import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { snapshot } from '../../../src/codec/snapshot';

describe('snapshot', () => {
  it('stays as it is when the original changes', () => {
    const original = { list: [1, { deep: Buffer.from([1, 2]) }] };
    const copy = snapshot(original);
    original.list.push(3);
    (original.list[1] as { deep: Buffer }).deep[0] = 9;
    assert.deepEqual(copy, { list: [1, { deep: Buffer.from([1, 2]) }] });
  });

  it('holds what a peer would receive', () => {
    assert.equal(snapshot(undefined), null);
    assert.deepEqual(snapshot({ at: new Date(0), none: undefined }), { at: '1970-01-01T00:00:00.000Z' });
    assert.deepEqual(snapshot(new Map([['a', new Set([1])]])), { a: [1] });
  });

  it('refuses a value that cannot be sent', () => {
    assert.throws(() => snapshot({ act: () => 1 }), { code: 'IOTMP_ERR_ENCODE', message: /act/ });
  });
});
