import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import type { Message } from '../../../src/codec/message';
import { decodeMessage } from '../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { IotmpError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import type { Value } from '../../../src/types';
import { times } from '../../support/effort';
import { vectors } from '../support/vectors';
import { expected } from './expected-value';

const RUNS = times(5000);

const MAX_BODY_SIZE = 262144;

/** Runs the decoder on bytes that may be anything; undefined where it refuses them properly. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof IotmpError) return undefined;
    throw error;
  }
}

function assertValueHolds(bytes: Uint8Array): void {
  const value = decoded(() => decodeValue(bytes));
  if (value !== undefined) assert.deepEqual(decodeValue(encodeValue(value)), expected(value));
}

function bodyOf(message: Message): Buffer {
  const bytes = encodeMessage(message);
  const bodies: Buffer[] = [];
  const decoder = new FrameDecoder(MAX_BODY_SIZE, {
    handleFrame: (_type, chunk, start, end) => {
      bodies.push(chunk.subarray(start, end));
    },
  });
  decoder.push(bytes);
  assert.equal(bodies.length, 1);
  return bodies[0]!;
}

function assertMessageHolds(bytes: Buffer): void {
  const message = decoded(() => decodeMessage(6, bytes, 0, bytes.length));
  if (message === undefined) return;
  const body = bodyOf(message);
  const again = decodeMessage(6, body, 0, body.length);
  for (const field of ['streamId', 'parameters', 'payload', 'resource'] as const) {
    // A resource of -0 is written as the number 0.
    const isZero: boolean = field === 'resource' && message.resource === 0;
    const value: Value | undefined = isZero ? 0 : message[field];
    assert.deepEqual(again[field], value === undefined ? undefined : expected(value));
  }
}

function assertStreamHolds(bytes: Buffer): void {
  const frames: Buffer[] = [];
  const decoder = new FrameDecoder(MAX_BODY_SIZE, {
    handleFrame: (_type, chunk, start, end) => {
      assert.ok(start <= end && end <= chunk.length);
      frames.push(chunk.subarray(start, end));
    },
  });
  decoded(() => decoder.push(bytes));
  for (const frame of frames) assertMessageHolds(frame);
}

/** Bytes that look like PSON: more tags of containers and short lengths than chance gives. */
const psonLike = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(
        0xc1,
        0xc2,
        0xe1,
        0xe3,
        0x81,
        0x82,
        0x61,
        0x62,
        0xa1,
        0x1f,
        0x3f,
        0x40,
        0x41,
        0x9f,
        0xff,
        0x80,
      ),
    ),
    { maxLength: 60 },
  )
  .map((bytes) => Buffer.from(bytes));

interface Mutation {
  readonly at: number;
  readonly kind: 'set' | 'flip' | 'insert' | 'remove' | 'cut' | 'repeat';
  readonly byte: number;
}

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'cut', 'repeat'),
    byte: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function mutate(bytes: Buffer, { at, kind, byte }: Mutation): Buffer {
  const index = at % (bytes.length + 1);
  const [head, tail] = [bytes.subarray(0, index), bytes.subarray(index)];
  const first = tail[0] ?? 0;
  switch (kind) {
    case 'set':
      return Buffer.concat([head, Buffer.of(byte), tail.subarray(1)]);
    case 'flip':
      return Buffer.concat([head, Buffer.of(first ^ (1 << (byte % 8))), tail.subarray(1)]);
    case 'insert':
      return Buffer.concat([head, Buffer.of(byte), tail]);
    case 'remove':
      return Buffer.concat([head, tail.subarray(1)]);
    case 'cut':
      return Buffer.from(head);
    case 'repeat':
      return Buffer.concat([bytes, tail]);
  }
}

describe('random bytes', () => {
  it('decode as a value to something that encodes and decodes to itself, or are refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), assertValueHolds), { numRuns: RUNS });
    fc.assert(fc.property(psonLike, assertValueHolds), { numRuns: RUNS });
  });

  it('do so as a message', () => {
    fc.assert(fc.property(psonLike, assertMessageHolds), { numRuns: RUNS });
  });

  it('do so as a stream', () => {
    fc.assert(fc.property(psonLike, assertStreamHolds), { numRuns: RUNS });
  });
});

describe('captured messages with a few bytes changed', () => {
  it('decode to something that encodes and decodes to itself, or are refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...vectors), mutations, (vector, changes) => {
        const bytes = changes.reduce(mutate, vector.bytes);
        assertStreamHolds(bytes);
        assertValueHolds(bytes);
        if (bytes.length > 2) assertMessageHolds(bytes.subarray(2));
      }),
      { numRuns: RUNS },
    );
  });
});
