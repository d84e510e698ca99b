import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { DecodeError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import { SkippedBody } from '../../../src/framing/skipped-body';
import { times } from '../../support/effort';
import { messageVectors } from '../support/vectors';
import { psonField, varintField } from '../support/raw-message';

const RUNS = times(300);
const LIMIT = 4;

/** What a walk over the body finds when it comes in pieces of these sizes. */
function found(body: Buffer, sizes: readonly number[] = [body.length]): number | undefined {
  const skipped = new SkippedBody(body.length);
  for (let at = 0, next = 0; at < body.length; next++) {
    const end = at + Math.max(1, sizes[next % sizes.length] ?? 1);
    assert.equal(skipped.complete, false);
    assert.equal(skipped.take(body.subarray(0, end), at), Math.min(end, body.length));
    at = Math.min(end, body.length);
  }
  assert.equal(skipped.complete, true);
  return skipped.streamId;
}

/** The stream id as the decoder of messages reads it, 0 without one; undefined where the body does not decode. */
function decoded(body: Buffer): number | undefined {
  try {
    return decodeMessage(6, body, 0, body.length).streamId ?? 0;
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return undefined;
  }
}

const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 40 }),
    fc.dictionary(fc.string({ maxLength: 40 }), tie('value'), { maxKeys: 40 }),
  ),
})).value;

const id = fc.integer({ min: 1, max: 65_535 });
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe('a body that is skipped', () => {
  it('gives the stream id wherever its field stands, and wherever the body is cut', () => {
    const fields = fc.record({
      id,
      before: fc.array(value, { maxLength: 3 }),
      after: fc.array(value, { maxLength: 3 }),
      pieces,
    });
    fc.assert(
      fc.property(fields, fc.boolean(), (given, isPson) => {
        const idField = isPson ? psonField(1, given.id) : varintField(1, given.id);
        const others = (values: unknown[]): Buffer[] =>
          values.map((one, index) => Buffer.concat([Buffer.of(((2 + index) << 3) | 2), encodeValue(one)]));
        const body = Buffer.concat([...others(given.before), idField, ...others(given.after)]);
        assert.equal(found(body, given.pieces), given.id);
        assert.equal(found(body), given.id);
      }),
      { numRuns: RUNS },
    );
  });

  it('gives the last of several ids, and 0 without one', () => {
    assert.equal(found(Buffer.concat([varintField(1, 7), varintField(1, 9)])), 9);
    assert.equal(found(psonField(3, 'x'.repeat(100))), 0);
    assert.equal(found(encodeMessage({ type: 6, payload: [1, [2, { a: 'b' }]] }).subarray(2)), 0);
  });

  it('reads every captured message as the decoder does, at every cut', () => {
    let compared = 0;
    for (const { bytes } of messageVectors) {
      const body = bytes.subarray(2);
      if (bytes.length < 3 || bytes[1] !== body.length) continue;
      const expected = decoded(body);
      if (expected === undefined) continue;
      compared++;
      for (let at = 1; at <= body.length; at++) assert.equal(found(body, [at, body.length]), expected);
    }
    assert.ok(compared > 100, `${compared} were compared`);
  });

  it('finds no id, and does no harm, in bytes that are no fields', () => {
    for (const hex of [
      '0b',
      '0f',
      '1a5f',
      '1a47',
      '1abf',
      '08',
      '0880',
      '08ffffffffffffffffffffff01',
      '0a8141',
      '1adf8080808010',
    ]) {
      assert.equal(found(Buffer.from(hex, 'hex')), undefined, hex);
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), pieces, (bytes, sizes) => {
        const body = Buffer.from(bytes);
        const whole = found(body);
        assert.equal(found(body, sizes), whole);
        assert.ok(whole === undefined || (whole >= 0 && whole <= 65_535));
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps an id that stood before what cannot be read', () => {
    assert.equal(found(Buffer.concat([varintField(1, 7), Buffer.from('0bffff', 'hex')])), 7);
  });

  it('costs time in proportion to its bytes, however it is made', () => {
    const size = 4 * 2 ** 20;
    const bodies = [
      Buffer.concat([Buffer.from('1affffffff0f', 'hex'), Buffer.alloc(size, 0xff)]),
      Buffer.alloc(size, 0x1a),
      Buffer.concat([Buffer.from('1aff80808002', 'hex'), Buffer.alloc(size, 0xe1)]),
      Buffer.concat([Buffer.from('1abf80808002', 'hex'), Buffer.alloc(size)]),
    ];
    const started = process.cpuUsage();
    for (const body of bodies) found(body, [1460]);
    const { user, system } = process.cpuUsage(started);
    assert.ok(user + system < 5e6, `${user + system} microseconds`);
  });
});

describe('a stream of messages, some of which are past the limit', () => {
  /** Decodes a stream; what was skipped stands as `[type, size, id]`. */
  function read(chunks: readonly Buffer[]): unknown[] {
    const seen: unknown[] = [];
    const decoder = new FrameDecoder(LIMIT, {
      handleFrame: (type, bytes, start, end) => seen.push([type, bytes.toString('hex', start, end)]),
      handleSkipped: (type, { size, streamId }) => seen.push([type, size, streamId]),
    });
    decoder.limit(LIMIT, 1000);
    for (const chunk of chunks) decoder.push(chunk);
    assert.equal(decoder.skipping, false);
    return seen;
  }

  it('gives the same wherever it is cut, once and twice', () => {
    const small = encodeMessage({ type: 1, streamId: 5 });
    const large = encodeMessage({
      type: 1,
      streamId: 300,
      payload: { a: 'x'.repeat(30), b: [1, 2.5, null] },
    });
    const stream = Buffer.concat([small, large, small, large, large, Buffer.from('0500', 'hex')]);
    const ok = [1, small.toString('hex', 2)];
    const skipped = [1, large.length - 2, 300];
    const expected = [ok, skipped, ok, skipped, skipped, [5, '']];
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second += 7) {
        const cuts = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        assert.deepEqual(read(cuts), expected, `at ${first} and ${second}`);
      }
    }
    assert.deepEqual(read(Array.from(stream, (_, at) => stream.subarray(at, at + 1))), expected);
  });

  it('ends with a body that is too large to be skipped', () => {
    assert.throws(() => read([Buffer.from('01e907', 'hex')]), { code: 'IOTMP_ERR_TOO_LARGE' });
    assert.deepEqual(read([Buffer.from('01e807', 'hex'), Buffer.alloc(1000, 0x0b)]), [[1, 1000, undefined]]);
  });

  it('ends with the first body past the limit where nothing may be skipped', () => {
    const decoder = new FrameDecoder(LIMIT, { handleFrame: () => undefined });
    assert.throws(() => decoder.push(Buffer.from('0105', 'hex')), { code: 'IOTMP_ERR_TOO_LARGE' });
  });
});
