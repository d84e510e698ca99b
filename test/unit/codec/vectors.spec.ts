import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MAX_STREAM_ID, MessageType } from '../../../src/codec/constants';
import type { Message } from '../../../src/codec/message';
import { decodeMessage, type DecodeOptions } from '../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { DecodeError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import type { Value } from '../../../src/types';
import { invalidVectors, messageVectors, valueVectors, type Vector } from '../support/vectors';

const KNOWN_FIELDS = ['streamId', 'parameters', 'payload', 'resource'] as const;

/** The limit of the device that took or refused the messages. */
const MAX_BODY_SIZE = 262144;

function decodeFrames(bytes: Buffer, options?: DecodeOptions): Message[] {
  const messages: Message[] = [];
  const decoder = new FrameDecoder(MAX_BODY_SIZE, {
    handleFrame: (type, chunk, start, end) => {
      messages.push(decodeMessage(type, chunk, start, end, options));
    },
  });
  decoder.push(bytes);
  return messages;
}

function knownFields(message: Partial<Record<(typeof KNOWN_FIELDS)[number], Value | undefined>>): object {
  const present = KNOWN_FIELDS.filter((field) => message[field] !== undefined);
  return Object.fromEntries(present.map((field) => [field, message[field]]));
}

/** Some devices were tried with ids that they cut to 16 bits or read as 0: nobody sends those in earnest. */
function hasStreamId({ fields }: Vector): boolean {
  const id = fields?.streamId ?? 0;
  return typeof id === 'number' && id <= MAX_STREAM_ID;
}

describe('captured messages', () => {
  const known = messageVectors.filter((vector) => vector.type !== MessageType.RESERVED);
  const framed = known.filter(hasStreamId);

  it('are there', () => {
    assert.ok(framed.length > 700, `${framed.length} messages`);
    assert.ok(valueVectors.length >= 40, `${valueVectors.length} values`);
    assert.ok(invalidVectors.length >= 28, `${invalidVectors.length} invalid ones`);
  });

  it('decode to what was sent', () => {
    for (const vector of framed) {
      const messages = decodeFrames(vector.bytes);
      assert.equal(messages.length, 1, vector.name);
      assert.equal(messages[0]?.type, vector.type, vector.name);
      assert.deepEqual(knownFields(messages[0]!), knownFields(vector.fields!), vector.name);
    }
  });

  it('encode to the same bytes where these are canonical', () => {
    const canonical = framed.filter((vector) => vector.canonical);
    assert.ok(canonical.length > 500);
    for (const vector of canonical) {
      const message = { type: vector.type!, ...knownFields(vector.fields!) };
      assert.equal(encodeMessage(message).toString('hex'), vector.bytes.toString('hex'), vector.name);
    }
  });

  it('encode to bytes that decode to the same where these are not canonical', () => {
    const others = framed.filter((vector) => !vector.canonical && vector.type! < 128);
    assert.ok(others.length > 100);
    for (const vector of others) {
      const message = { type: vector.type!, ...knownFields(vector.fields!) };
      const [again] = decodeFrames(encodeMessage(message));
      assert.deepEqual(knownFields(again!), knownFields(vector.fields!), vector.name);
    }
  });

  it('with a stream id that is none are refused', () => {
    const others = known.filter((vector) => !hasStreamId(vector));
    assert.ok(others.length > 0);
    for (const vector of others) {
      assert.throws(() => decodeFrames(vector.bytes), { reason: 'stream id' }, vector.name);
    }
  });

  it('of the reserved type are refused', () => {
    const reserved = messageVectors.filter((vector) => vector.type === MessageType.RESERVED);
    assert.ok(reserved.length > 0);
    for (const vector of reserved) {
      assert.throws(() => decodeFrames(vector.bytes), { code: 'IOTMP_ERR_PROTOCOL' }, vector.name);
    }
  });
});

describe('captured values', () => {
  it('decode to what was sent', () => {
    for (const vector of valueVectors) {
      assert.deepEqual(decodeValue(vector.bytes), vector.value, vector.name);
    }
  });

  it('encode to the same bytes where these are canonical', () => {
    for (const vector of valueVectors.filter(({ canonical }) => canonical)) {
      assert.equal(encodeValue(vector.value).toString('hex'), vector.bytes.toString('hex'), vector.name);
    }
  });
});

describe('captured messages that are broken', () => {
  const broken = invalidVectors.filter(({ invalid }) => invalid !== 'size' && invalid !== 'truncated varint');
  const badText = broken.filter(({ name, invalid }) => invalid === 'utf-8' && !name.includes('key'));

  it('are refused for the reason that strict decoding gives', () => {
    const refused = broken.filter((vector) => !badText.includes(vector));
    assert.ok(refused.length >= 20);
    for (const vector of refused) {
      assert.throws(
        () => decodeFrames(vector.bytes),
        (error) => error instanceof DecodeError && error.reason === vector.invalid,
        vector.name,
      );
    }
  });

  it('decode with U+FFFD, and are counted, where only a string value is not UTF-8', () => {
    assert.equal(badText.length, 3);
    for (const vector of badText) {
      let count = 0;
      const [message] = decodeFrames(vector.bytes, { onInvalidText: () => count++ });
      assert.equal(message?.payload ?? message?.resource, '\uFFFD\uFFFD', vector.name);
      assert.equal(count, 1, vector.name);
    }
  });

  it('in their header are refused before anything of the body comes', () => {
    const headers = invalidVectors.filter((vector) => !broken.includes(vector));
    assert.equal(headers.length, 4);
    for (const vector of headers) {
      const isLong = vector.bytes.length > 6;
      const expected = isLong ? { reason: 'varint' } : { code: 'IOTMP_ERR_TOO_LARGE' };
      assert.throws(() => decodeFrames(vector.bytes), expected, vector.name);
    }
  });
});
