import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { encodeMessage, type OutgoingMessage } from '../../../src/codec/writing/message-encoder';
import { fakes } from '../../support/fakes';
import { memoryInUse } from './memory';

function hexOf(message: OutgoingMessage): string {
  return encodeMessage(message).toString('hex');
}

describe('encoding of messages', () => {
  it('writes the fields that are there in the order of their ids', () => {
    assert.equal(hexOf({ type: 5 }), '0500');
    assert.equal(
      hexOf({ resource: 'a', payload: 1, parameters: 2, streamId: 3, type: 6 }),
      '060908031202' + '1a01228161',
    );
    assert.equal(hexOf({ type: 1, streamId: 0, payload: undefined }), '01020800');
  });

  it('tells null from absent', () => {
    assert.equal(hexOf({ type: 1, payload: null }), '01021a62');
    assert.equal(hexOf({ type: 6, parameters: null, resource: null }), '060412622262');
  });

  it('writes a numeric resource as varint while 32 bits hold it', () => {
    assert.equal(hexOf({ type: 6, resource: 8 }), '06022008');
    assert.equal(hexOf({ type: 6, resource: 2 ** 32 - 1 }), '060620ffffffff0f');
    assert.equal(hexOf({ type: 6, resource: 2 ** 32 }), '0607221f8080808010');
    assert.equal(hexOf({ type: 6, resource: -1 }), '06022221');
    assert.equal(hexOf({ type: 6, resource: 1.5 }), '060622400000c03f');
    assert.equal(hexOf({ type: 6, resource: ['a', 'b'] }), '060622e281618162');
  });

  it('writes integers of parameters and payload as PSON', () => {
    assert.equal(hexOf({ type: 10, parameters: 5, payload: -5 }), '0a0412051a25');
  });

  it('writes sizes in the shortest form in front of a contiguous body', () => {
    for (const size of [0, 1, 127, 128, 129, 16383, 16384, 70000, 2097151, 2097152]) {
      const head = size < 31 ? 1 : 2 + Math.floor(Math.log2(Math.max(1, size)) / 7);
      const message = encodeMessage({ type: 10, payload: Buffer.alloc(size, 7) });
      const body = 1 + head + size;
      const groups: number[] = [];
      for (let rest = body; rest > 0; rest = Math.floor(rest / 128)) groups.push(rest % 128);
      const varint = groups.map((group, index) => (index < groups.length - 1 ? group | 0x80 : group));
      assert.deepEqual([...message.subarray(0, 2 + varint.length)], [10, ...varint, 0x1a], `size ${size}`);
      assert.equal(message.length, 1 + varint.length + body);
      assert.ok(message.subarray(-size || message.length).every((byte) => byte === 7 || size === 0));
    }
  });

  it('copies what it is given', () => {
    const payload = Buffer.alloc(100000, 1);
    const message = encodeMessage({ type: 10, payload });
    payload.fill(2);
    assert.ok(message.subarray(-100000).every((byte) => byte === 1));
  });

  it('costs memory in proportion to the messages that are kept', async () => {
    const kept: Buffer[] = [];
    const before = await memoryInUse();
    for (let index = 0; index < 2000; index++)
      kept.push(encodeMessage({ type: 10, payload: Buffer.alloc(700) }));
    const bytes = kept.reduce((sum, message) => sum + message.length, 0);
    assert.ok((await memoryInUse()) - before < 2 * bytes);
  });

  it('shares blocks of memory between messages of medium size', () => {
    for (let size = 400; size < 1500; size += 30) {
      const payload = Buffer.alloc(size);
      const messages = Array.from({ length: 100 }, () => encodeMessage({ type: 10, payload }));
      const blocks = new Set(messages.map(({ buffer }) => buffer));
      assert.ok(blocks.size < 40, `${blocks.size} blocks for ${size} bytes each`);
    }
  });

  it('takes memory a few times over for many large values, not once for each', () => {
    const allocate = fakes.spy(Buffer, 'allocUnsafeSlow');
    const payload = Array.from({ length: 200 }, () => Buffer.alloc(65536));
    const message = encodeMessage({ type: 10, payload });
    const allocated = allocate.getCalls().reduce((sum, call) => sum + call.args[0], 0);
    assert.ok(message.length > 200 * 65536);
    assert.ok(allocated < 5 * message.length, `${allocated} bytes for ${message.length}`);
  });

  it('copies one large value once', () => {
    const allocate = fakes.spy(Buffer, 'allocUnsafeSlow');
    const message = encodeMessage({ type: 10, payload: Buffer.alloc(100000), resource: 'r' });
    assert.equal(message.buffer, allocate.lastCall.returnValue.buffer);
    assert.ok(message.buffer.byteLength > message.length);
  });
});
