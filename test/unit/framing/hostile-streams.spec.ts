import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import { memoryInUse } from '../codec/memory';
import { message, record } from './frames';

const MEGABYTE = 1024 * 1024;

function ignoring(maxBodySize: number): FrameDecoder {
  return new FrameDecoder(maxBodySize, { handleFrame: () => undefined });
}

describe('a peer that announces much and sends little', () => {
  it('takes memory for what it sent only', async () => {
    const before = await memoryInUse();
    const decoders = Array.from({ length: 200 }, () => ignoring(200 * MEGABYTE));
    for (const decoder of decoders) {
      decoder.push(Buffer.from('0a8080805f', 'hex'));
      decoder.push(Buffer.alloc(1000));
    }
    const used = (await memoryInUse()) - before;
    assert.ok(used < 2 * MEGABYTE, `${used} bytes for ${decoders.length} connections`);
  });

  it('does not pin the chunk that the beginning of its message came in', async () => {
    const before = await memoryInUse();
    const decoders = Array.from({ length: 200 }, () => ignoring(MEGABYTE));
    for (const decoder of decoders) {
      const chunk = Buffer.alloc(65536, message(5, 62));
      chunk.set(message(10, 1000).subarray(0, 10), chunk.length - 64);
      decoder.push(chunk.subarray(0, chunk.length - 54));
    }
    const used = (await memoryInUse()) - before;
    assert.ok(used < 2 * MEGABYTE, `${used} bytes for ${decoders.length} connections`);
  });
});

describe('a peer that sends byte by byte', () => {
  it('costs time in proportion to the bytes, with a large message', () => {
    const whole = message(10, 2 * MEGABYTE);
    const { decoder, frames } = record(4 * MEGABYTE);
    const started = process.cpuUsage();
    for (let at = 0; at < whole.length; at++) decoder.push(whole.subarray(at, at + 1));
    const { user, system } = process.cpuUsage(started);
    assert.equal(frames[0]?.body.length, 4 * MEGABYTE);
    assert.ok(user + system < 10e6, `${user + system} microseconds`);
  });
});

describe('a peer that sends varints without an end', () => {
  it('is refused after five bytes', () => {
    for (const prefix of ['', '06']) {
      const decoder = ignoring(1000);
      decoder.push(Buffer.from(prefix, 'hex'));
      for (let count = 0; count < 4; count++) decoder.push(Buffer.of(0x80));
      assert.throws(() => decoder.push(Buffer.of(0x80)), { reason: 'varint' });
    }
  });
});

describe('a peer that floods with empty messages', () => {
  it('gets each of them delivered without nesting', () => {
    let count = 0;
    const decoder = new FrameDecoder(100, { handleFrame: () => count++ });
    decoder.push(Buffer.alloc(2 * MEGABYTE, message(5, 0)));
    assert.equal(count, MEGABYTE);
  });
});
