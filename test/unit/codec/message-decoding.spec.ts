import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Message } from '../../../src/codec/message';
import { decodeMessage, type DecodeOptions } from '../../../src/codec/reading/message-decoder';
import { DecodeError } from '../../../src/errors';
import { fieldsOf } from './expected-value';

function decode(hex: string, options?: DecodeOptions): Message {
  const body = Buffer.from(hex, 'hex');
  const around = Buffer.concat([Buffer.alloc(3, 0x08), body, Buffer.alloc(3, 0x08)]);
  return decodeMessage(6, around, 3, 3 + body.length, options);
}

function faultOf(hex: string): DecodeError {
  try {
    decode(hex);
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return error;
  }
  throw new assert.AssertionError({ message: `${hex} decodes` });
}

describe('decoding of messages', () => {
  it('takes fields in any order, of either wire type', () => {
    const message = decode('228161' + '1a05' + '1007' + '0a03');
    assert.deepEqual(fieldsOf(message), { type: 6, streamId: 3, parameters: 7, payload: 5, resource: 'a' });
    assert.equal(decode('2008').resource, 8);
  });

  it('tells null from absent', () => {
    assert.deepEqual(fieldsOf(decode('')), {
      type: 6,
      streamId: undefined,
      parameters: undefined,
      payload: undefined,
      resource: undefined,
    });
    assert.equal(decode('1a62').payload, null);
  });

  it('lets the last occurrence of a field win', () => {
    assert.deepEqual(fieldsOf(decode('08011a050802' + '1806')), fieldsOf(decode('08021a06')));
  });

  it('skips unknown fields of the wire types 0 and 2', () => {
    const known = fieldsOf(decode('0801'));
    for (const unknown of [
      '2805',
      '2ac1816105',
      '0005',
      '0205',
      '820105',
      'a01007',
      '80972201',
      `f8${'ff'.repeat(8)}0105`,
    ]) {
      assert.deepEqual(fieldsOf(decode(`${unknown}0801`)), known, unknown);
      assert.deepEqual(fieldsOf(decode(`0801${unknown}`)), known, unknown);
    }
  });

  it('refuses the other wire types, in unknown fields too', () => {
    for (const wireType of [1, 3, 4, 5, 6, 7]) {
      for (const field of [1, 2, 3, 4, 5, 15]) {
        const key = ((field << 3) | wireType).toString(16).padStart(2, '0');
        assert.equal(faultOf(`${key}05`).reason, `wire type ${wireType}`);
      }
      assert.equal(faultOf(`8${wireType}800105`).reason, `wire type ${wireType}`);
    }
  });

  it('reads a varint above 2^63-1 as a negative number', () => {
    assert.equal(decode('18fbffffffffffffffff01').payload, -5);
    assert.equal(decode('10ffffffffffffffffff01').parameters, -1);
    assert.equal(decode('1880808080808080808001').payload, -(2n ** 63n));
    assert.equal(decode('18ffffffffffffffff7f').payload, 2n ** 63n - 1n);
    assert.equal(decode('1881808080808080f0ff01').payload, Number.MIN_SAFE_INTEGER);
    assert.equal(decode('1880808080808080f0ff01').payload, -(2n ** 53n));
    assert.equal(decode('18ffffffffffffff0f').payload, Number.MAX_SAFE_INTEGER);
    assert.equal(decode('188080808080808010').payload, 2n ** 53n);
    assert.equal(faultOf('18ffffffffffffffffff02').reason, 'integer');
  });

  it('takes only integers of 16 bits as stream id', () => {
    assert.equal(decode('08ffff03').streamId, 65535);
    assert.equal(decode('0a1fffff03').streamId, 65535);
    assert.equal(decode('0a00').streamId, 0);
    const others = [
      '08808004',
      '0a1f808004',
      '08ffffffffffffffffff01',
      '0a21',
      '0a8131',
      '0a62',
      '0a61',
      '0a400000003f',
      '0ae0',
      '0a1f808080808080808001',
    ];
    for (const hex of others) assert.equal(faultOf(hex).reason, 'stream id', hex);
  });
});

describe('a fault in a message', () => {
  it('carries the stream id that was read before it', () => {
    assert.equal(faultOf('0807' + '1a63').streamId, 7);
    assert.equal(faultOf('1a63' + '0807').streamId, undefined);
    assert.equal(faultOf('0807' + '08808004').streamId, 7);
  });

  it('is found at an offset in the body', () => {
    assert.equal(faultOf('1a63').offset, 1);
    assert.equal(faultOf('0807' + '1905').offset, 2);
    assert.equal(faultOf('080708808004').offset, 2);
  });

  it('is found for every truncated body that does not end between fields', () => {
    const body = Buffer.from('0887021a' + 'c2816105816203' + '22836c6564', 'hex');
    const between = [0, 3, 11, 16];
    for (let length = 0; length <= body.length; length++) {
      const part = body.subarray(0, length).toString('hex');
      if (between.includes(length)) assert.ok(decode(part));
      else assert.match(faultOf(part).reason, /^truncated( varint)?$/, `${length} bytes`);
    }
  });

  it('does not stop the next message', () => {
    assert.throws(() => decode('1ae5c181'), DecodeError);
    assert.equal(decode('0807').streamId, 7);
  });
});

describe('options of decoding', () => {
  it('apply to all fields', () => {
    let count = 0;
    const message = decode('1281ff' + '1ae2' + '40cdccbb41' + '81ff' + '2281ff' + '2a81ff', {
      floats: 'shortest',
      onInvalidText: () => count++,
    });
    assert.deepEqual(message.payload, [Math.fround(23.475), '\uFFFD'].with(0, 23.475));
    assert.equal(message.parameters, '\uFFFD');
    assert.equal(count, 4);
    assert.throws(() => decode('1ae1e105', { maxDepth: 1 }), { reason: 'too deep' });
  });
});
