import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { pattern, Recorder, turns } from './fixtures';

describe('createMemoryPair', () => {
  it('never delivers from inside a call', () => {
    const [near, far] = createMemoryPair();
    const recorder = new Recorder(far);
    near.send(pattern(10));
    assert.equal(recorder.bytes, 0);
  });

  it('delivers each message as a chunk of its own, without a copy', async () => {
    const [near, far] = createMemoryPair();
    const recorder = new Recorder(far);
    const messages = [pattern(1), pattern(5000), pattern(3)];
    for (const message of messages) near.send(message);
    await recorder.received(5004);
    assert.deepEqual(
      recorder.chunks.map((chunk, i) => chunk === messages[i] || chunk.buffer === messages[i]!.buffer),
      [true, true, true],
    );
  });

  it('delivers within the turn by microtask, and in later turns by immediate', async () => {
    for (const [delivery, expected] of [
      ['microtask', 30],
      ['immediate', 0],
    ] as const) {
      const [near, far] = createMemoryPair({ delivery });
      const recorder = new Recorder(far);
      for (let i = 0; i < 3; i++) near.send(pattern(10));
      for (let i = 0; i < 20; i++) await Promise.resolve();
      assert.equal(recorder.bytes, expected);
      await recorder.received(30);
      near.destroy();
    }
  });

  it('cuts the bytes into chunks of the size that is asked for, across messages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }),
        async (chunkBytes, messages) => {
          const [near, far] = createMemoryPair({ chunkBytes });
          const recorder = new Recorder(far);
          for (const message of messages) near.send(Buffer.from(message));
          near.close();
          await recorder.closed();
          const sent = Buffer.concat(messages);
          assert.ok(recorder.data.equals(sent));
          assert.ok(recorder.chunks.slice(0, -1).every((chunk) => chunk.length === chunkBytes));
          assert.equal(recorder.chunks.length, Math.ceil(sent.length / chunkBytes));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('takes no more than its window, and tells when the rest is taken', async () => {
    const [near, far] = createMemoryPair({ windowBytes: 100, highWaterMark: 50 });
    const recorder = new Recorder(far);
    const sender = new Recorder(near);
    far.pause();
    assert.equal(near.send(pattern(100)), true);
    assert.equal(near.bufferedBytes, 0);
    assert.equal(near.send(pattern(50)), true);
    assert.equal(near.send(pattern(1)), false);
    assert.equal(near.bufferedBytes, 51);
    await turns();
    assert.equal(sender.drains, 0);
    far.resume();
    await sender.drained();
    assert.equal(near.bufferedBytes, 0);
    await recorder.received(151);
    assert.equal(sender.drains, 1);
  });

  it('takes everything where no window is set', () => {
    const [near] = createMemoryPair();
    assert.equal(near.send(pattern(10_000_000)), true);
    assert.equal(near.bufferedBytes, 0);
  });

  it('delivers what the window took before a destroy, and loses the rest', async () => {
    const [near, far] = createMemoryPair({ windowBytes: 100 });
    const recorder = new Recorder(far);
    near.send(pattern(150));
    near.destroy();
    await recorder.closed();
    assert.equal(recorder.bytes, 100);
    assert.deepEqual(recorder.ends, [undefined]);
  });

  it('swallows what is sent to an end that was destroyed, and lets the sender drain', async () => {
    const [near, far] = createMemoryPair({ windowBytes: 100, highWaterMark: 10 });
    const sender = new Recorder(near);
    near.pause();
    assert.equal(near.send(pattern(150)), false);
    far.destroy();
    await sender.drained();
    assert.equal(near.send(pattern(150)), true);
    near.resume();
    await sender.closed();
    assert.deepEqual(sender.ends, [undefined]);
  });
});
