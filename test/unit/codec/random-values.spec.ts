import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import type { Value } from '../../../src/types';
import { times } from '../../support/effort';
import { expected, fieldsOf, mapOf } from './expected-value';

const RUNS = times(1500);

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 20,
  }),
  fc.string({ minLength: 100, maxLength: 300 }),
);

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, undefined),
  fc.integer(),
  fc.integer({ min: -40, max: 40 }),
  fc.maxSafeInteger(),
  fc.double(),
  fc.float(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.integer({ min: -63, max: 63 }).map((exponent) => Math.sign(exponent) * 2 ** Math.abs(exponent)),
  text,
  fc.uint8Array({ maxLength: 60 }),
);

const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', 'a', '0', 'temperature'));

const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('value'), { maxLength: 35 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 35 }).map(mapOf),
  ),
}));

describe('random values', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        assert.deepEqual(decodeValue(encodeValue(value)), expected(value));
      }),
      { numRuns: RUNS },
    );
  });

  it('have one encoding: what was decoded encodes to the same bytes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const plain = expected(value) as Value;
        const bytes = encodeValue(plain);
        assert.equal(encodeValue(decodeValue(bytes)).toString('hex'), bytes.toString('hex'));
      }),
      { numRuns: RUNS },
    );
  });

  it('come back as fields of messages, cut anywhere on their way', () => {
    const message = fc.record({
      type: fc.integer({ min: 1, max: 127 }),
      streamId: fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined }),
      parameters: anyValue,
      payload: anyValue,
      resource: fc.oneof(text, fc.nat(), fc.array(text, { maxLength: 3 }), fc.constant(undefined)),
    });
    fc.assert(
      fc.property(message, fc.nat(), (sent, cut) => {
        const bytes = encodeMessage(sent);
        const frames: unknown[] = [];
        const decoder = new FrameDecoder(bytes.length, {
          handleFrame: (type, chunk, start, end) => {
            frames.push(fieldsOf(decodeMessage(type, chunk, start, end)));
          },
        });
        const at = cut % (bytes.length + 1);
        decoder.push(bytes.subarray(0, at));
        decoder.push(bytes.subarray(at));
        const field = (value: unknown): unknown => (value === undefined ? undefined : expected(value));
        assert.deepEqual(frames, [
          {
            type: sent.type,
            streamId: sent.streamId,
            parameters: field(sent.parameters),
            payload: field(sent.payload),
            resource: field(sent.resource),
          },
        ]);
      }),
      { numRuns: RUNS },
    );
  });
});
