import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { bytesOf, numberOf, textOf } from '../../../src/store/sqlite/database/statements';
import { fromStored, mapFromStored } from '../../../src/store/stored-value';
import { withCode } from './support/stores';

const corrupt = withCode('IOTMP_ERR_STORAGE', 'corrupt');

describe('what was kept and is damaged', () => {
  it('is told as such where it is no value, or not a map where there should be one', () => {
    const unreadable = withCode('IOTMP_ERR_STORAGE');
    assert.throws(() => fromStored(Buffer.from([0xff, 0xff])), unreadable);
    assert.throws(() => fromStored(Buffer.alloc(0)), unreadable);
    assert.throws(() => mapFromStored(encodeValue([1])), unreadable);
    assert.deepEqual(mapFromStored(encodeValue({ a: 1 })), { a: 1 });
  });

  it('is told as such where a column has another type', () => {
    const row = { text: 'a', number: 1, bytes: new Uint8Array(1), nothing: null };
    assert.equal(textOf(row, 'text'), 'a');
    assert.equal(numberOf(row, 'number'), 1);
    assert.equal(bytesOf(row, 'bytes'), row.bytes);
    for (const read of [textOf, numberOf, bytesOf]) assert.throws(() => read(row, 'nothing'), corrupt);
  });
});
