import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { MessageType } from '../../../src/codec/constants';
import { MapKeys } from '../../../src/codec/map-keys';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { encodeStreamData, payloadOf, streamDataSize } from '../../../src/codec/writing/stream-data';
import { times } from '../../support/effort';

const type = MessageType.STREAM_DATA;
const streamId = fc.oneof(
  fc.constantFrom(1, 127, 128, 16383, 16384, 65535),
  fc.integer({ min: 0, max: 65535 }),
);
const payload = fc.oneof(
  fc.jsonValue(),
  fc.uint8Array(),
  fc.constantFrom(null, 'x'.repeat(110), 'x'.repeat(130), Buffer.alloc(20_000, 1), Buffer.alloc(300_000, 2)),
);

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('STREAM_DATA around an encoded payload', () => {
  it('is the message that is encoded in one go, with and without a mark', () => {
    fc.assert(
      fc.property(streamId, payload, (id, value) => {
        const message = encodeMessage({ type, streamId: id, payload: value });
        const bytes = encodeValue(value);
        assert.equal(hex(encodeStreamData(id, bytes, false)), hex(message));
        assert.equal(hex(payloadOf(message)), hex(bytes));
        const marked = encodeMessage({ type, streamId: id, parameters: 2, payload: value });
        assert.equal(hex(encodeStreamData(id, bytes, true)), hex(marked));
        assert.doesNotThrow(() =>
          encodeMessage({ type, streamId: id, payload: value }, streamDataSize(id, bytes)),
        );
        assert.throws(() =>
          encodeMessage({ type, streamId: id, payload: value }, streamDataSize(id, bytes) - 1),
        );
      }),
      { numRuns: times(500) },
    );
  });

  it('has no payload where there is none', () => {
    for (const id of [1, 200, 65535]) {
      const message = encodeMessage({ type, streamId: id });
      const none = payloadOf(message);
      assert.equal(none.length, 0);
      assert.equal(hex(encodeStreamData(id, none, false)), hex(message));
      assert.equal(streamDataSize(id, none), message.length - 2);
    }
  });
});

describe('The keys of an encoded map', () => {
  const values = fc.array(payload, { minLength: 3, maxLength: 3 });

  it('give the values of another map with the same keys, as an array', () => {
    fc.assert(
      fc.property(values, values, ([a, b, c], [d, e, f]) => {
        const keys = MapKeys.of(encodeValue({ a, b, [`c${'x'.repeat(40)}`]: c }));
        const other = encodeValue({ a: d, b: e, [`c${'x'.repeat(40)}`]: f });
        assert.equal(hex(keys!.valuesOf(other)!), hex(encodeValue([d, e, f])));
      }),
      { numRuns: times(300) },
    );
  });

  it('give nothing of a value that is not such a map', () => {
    const keys = MapKeys.of(encodeValue({ ab: 1, cd: 2 }));
    const others = [
      null,
      5,
      'ab',
      [1, 2],
      [],
      {},
      { ab: 1 },
      { cd: 1, ab: 2 },
      { ab: 1, ce: 2 },
      { ab: 1, c: 'x'.repeat(100) },
      { ab: 1, cde: 2 },
      { abc: 1, d: 2 },
      { ab: 1, cd: 2, e: 3 },
      Buffer.from('ab'),
    ];
    for (const other of others) assert.equal(keys?.valuesOf(encodeValue(other)), undefined);
    assert.equal(keys?.valuesOf(Buffer.alloc(0)), undefined);
  });

  it('are those of maps only', () => {
    for (const value of [null, 5, 'a', [], [1], {}, Buffer.alloc(3), new Set([1])]) {
      assert.equal(MapKeys.of(encodeValue(value)), undefined);
    }
    assert.equal(MapKeys.of(Buffer.alloc(0)), undefined);
  });
});
