import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import type { TransportOptions } from '../../../src/transport/transport-options';
import { HeldClock, pairs, pattern, Recorder, turns, type Pair } from './fixtures';

for (const [name, make] of Object.entries(pairs)) {
  describe(`transport contract: ${name}`, () => {
    let pair: Pair | undefined;
    const open = async (options?: TransportOptions) => (pair = await make(options));

    afterEach(async () => {
      await pair?.dispose();
      pair = undefined;
    });

    it('carries messages of all sizes both ways, whole and in order', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      const messages = [1, 2, 125, 126, 1000, 16_383, 16_384, 65_535, 65_536, 200_001, 3].map(pattern);
      for (const message of messages) {
        near.send(message);
        far.send(message);
      }
      const sent = Buffer.concat(messages);
      await there.received(sent.length);
      await back.received(sent.length);
      assert.ok(there.data.equals(sent));
      assert.ok(back.data.equals(sent));
      assert.deepEqual([there.ends, back.ends], [[], []]);
    });

    it('holds data until it is started', async () => {
      const { near, far } = await open();
      near.send(pattern(100));
      await turns();
      const there = new Recorder(far);
      await there.received(100);
      assert.ok(there.data.equals(pattern(100)));
    });

    it('refuses a second start', async () => {
      const { near } = await open();
      new Recorder(near);
      assert.throws(() => new Recorder(near), { code: 'IOTMP_ERR_CONFLICT' });
    });

    it('names the other end', async () => {
      const { near } = await open();
      assert.match(near.remoteAddress, /^(127\.0\.0\.1:\d+|memory)$/);
      assert.equal(near.kind, name.split(',')[0]);
    });

    it('delivers nothing while it is paused, and everything in order afterwards', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      there.onChunk = () => far.pause();
      for (let i = 0; i < 500; i++) near.send(pattern(300, i));
      await there.received(1);
      assert.equal(there.chunks.length, 1);
      // A message in the other direction passes meanwhile.
      far.send(pattern(10));
      await back.received(10);
      await turns();
      assert.equal(there.chunks.length, 1);
      there.onChunk = () => undefined;
      far.resume();
      await there.received(150_000);
      assert.ok(there.data.equals(Buffer.concat(Array.from({ length: 500 }, (_, i) => pattern(300, i)))));
    });

    it('can be paused in every chunk and resumed in every turn', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      there.onChunk = () => {
        far.pause();
        setImmediate(() => far.resume());
      };
      for (let i = 0; i < 200; i++) near.send(pattern(211, i));
      await there.received(42_200);
      assert.ok(there.data.equals(Buffer.concat(Array.from({ length: 200 }, (_, i) => pattern(211, i)))));
    });

    it('tells when the buffer is past the high-water mark, and once when all of it is taken', async () => {
      const { near, far } = await open({ highWaterMark: 60_000 });
      const there = new Recorder(far);
      const back = new Recorder(near);
      far.pause();
      let sent = 0;
      // A system that takes 64 MB for a receiver that does not read has no end.
      while (near.bufferedBytes <= 60_000 && sent < 64_000_000) {
        const before = near.bufferedBytes;
        const more = near.send(pattern(50_000));
        sent += 50_000;
        assert.equal(more, near.bufferedBytes <= 60_000, `${before} bytes waited before`);
        await turns(2);
      }
      assert.ok(near.bufferedBytes > 60_000);
      assert.equal(near.send(pattern(50_000)), false);
      sent += 50_000;
      await turns();
      assert.equal(back.drains, 0);
      far.resume();
      await back.drained();
      assert.equal(near.bufferedBytes, 0);
      await there.received(sent);
      await turns();
      assert.equal(back.drains, 1);
      assert.equal(there.bytes, sent);
    });

    it('tells of the drain only when what came later is taken too', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      const left: number[] = [];
      back.onDrained = () => left.push(near.bufferedBytes);
      far.pause();
      for (let i = 0; i < 3; i++) {
        // More than a system takes at once, so that the first is under way while the others wait.
        assert.equal(near.send(pattern(8_000_000)), false);
        await turns(1);
      }
      far.resume();
      await there.received(24_000_000);
      await back.drained();
      assert.deepEqual(left, [0]);
    });

    it('tells of no drain after its own close', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      far.pause();
      while (near.send(pattern(50_000))) await turns(1);
      near.close();
      far.resume();
      await Promise.all([there.closed(), back.closed()]);
      assert.equal(back.drains, 0);
    });

    it('does not tell of a drain that nobody was promised', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      assert.equal(near.send(pattern(1000)), true);
      await there.received(1000);
      await turns();
      assert.equal(back.drains, 0);
      assert.equal(near.bufferedBytes, 0);
    });

    it('close sends what is buffered, then ends both ends without an error', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      for (let i = 0; i < 10; i++) near.send(pattern(100_000, i));
      near.close();
      await Promise.all([there.closed(), back.closed()]);
      assert.equal(there.bytes, 1_000_000);
      assert.deepEqual([there.ends, back.ends], [[undefined], [undefined]]);
    });

    it('close and destroy call nobody while they run', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      near.close();
      far.destroy();
      assert.deepEqual([there.ends, back.ends], [[], []]);
      await Promise.all([there.closed(), back.closed()]);
    });

    it('is inert after the end', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      near.close();
      near.close();
      near.pause();
      assert.equal(near.send(pattern(100)), true);
      await Promise.all([there.closed(), back.closed()]);
      for (const transport of [near, far]) {
        transport.pause();
        transport.resume();
        transport.close();
        transport.destroy(new Error('too late'));
        assert.equal(transport.send(pattern(1_000_000)), true);
        assert.equal(transport.bufferedBytes, 0);
      }
      await turns();
      assert.deepEqual([there.ends, back.ends], [[undefined], [undefined]]);
      assert.deepEqual([there.bytes, back.bytes, there.drains, back.drains], [0, 0, 0, 0]);
    });

    it('delivers nothing of the peer after its own close', async () => {
      const { near, far } = await open({ clock: new HeldClock() });
      const there = new Recorder(far);
      const back = new Recorder(near);
      far.send(pattern(1000));
      near.close();
      near.pause();
      await Promise.all([there.closed(), back.closed()]);
      assert.equal(back.bytes, 0);
      assert.deepEqual(back.ends, [undefined]);
    });

    it('destroy ends at once, with its error at this end, and ends the other', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      const error = new Error('enough');
      near.destroy(error);
      near.destroy(new Error('again'));
      near.close();
      await Promise.all([there.closed(), back.closed()]);
      assert.deepEqual(back.ends, [error]);
      assert.equal(there.ends.length, 1);
      assert.equal(near.bufferedBytes, 0);
    });

    it('destroy cuts a close that is under way', async () => {
      const { near, far } = await open({ clock: new HeldClock() });
      const there = new Recorder(far);
      const back = new Recorder(near);
      far.pause();
      near.send(pattern(500_000));
      near.close();
      await turns();
      assert.deepEqual(back.ends, []);
      near.destroy();
      await back.closed();
      assert.deepEqual(back.ends, [undefined]);
      far.resume();
      await there.closed();
    });

    it('tells of an end that came before the start', async () => {
      const { near, far } = await open();
      const back = new Recorder(near);
      near.destroy();
      await back.closed();
      await turns();
      const there = new Recorder(far);
      assert.deepEqual(there.ends, []);
      await there.closed();
      assert.equal(there.ends.length, 1);
    });

    it('ends a transport that was never started', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      near.close();
      await there.closed();
      await turns();
      const back = new Recorder(near);
      await back.closed();
      assert.deepEqual(back.ends, [undefined]);
    });

    it('a peer that ends is heard of after its data, also when paused meanwhile', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      there.onChunk = () => far.pause();
      for (let i = 0; i < 20; i++) near.send(pattern(10_000, i));
      near.close();
      await there.received(1);
      await turns();
      assert.deepEqual([there.chunks.length, there.ends.length], [1, 0]);
      there.onChunk = () => undefined;
      far.resume();
      await Promise.all([there.closed(), back.closed()]);
      assert.equal(there.bytes, 200_000);
      assert.deepEqual([there.ends, back.ends], [[undefined], [undefined]]);
    });

    it('a paused transport can close and be destroyed', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      far.pause();
      near.send(pattern(5000));
      await turns();
      far.close();
      await Promise.all([there.closed(), back.closed()]);
      assert.equal(there.bytes, 0);
      assert.equal(there.ends.length, 1);
    });

    it('cuts the connection when the grace is over and the peer did not end its side', async () => {
      const clock = new HeldClock();
      const { near, far } = await open({ clock, closeGraceMs: 1234 });
      const back = new Recorder(near);
      new Recorder(far);
      far.pause();
      near.send(pattern(500_000));
      near.close();
      await turns();
      assert.deepEqual(clock.running, [1234]);
      assert.deepEqual(back.ends, []);
      clock.expire();
      await back.closed();
      assert.deepEqual(back.ends, [undefined]);
      assert.deepEqual(clock.running, []);
    });

    it('leaves no timer behind after an orderly end', async () => {
      const clock = new HeldClock();
      const { near, far } = await open({ clock });
      const there = new Recorder(far);
      const back = new Recorder(near);
      near.close();
      await Promise.all([there.closed(), back.closed()]);
      assert.deepEqual(clock.running, []);
    });

    it('carries on when a chunk is answered from inside its delivery', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      there.onChunk = (chunk) => far.send(chunk);
      for (let i = 0; i < 50; i++) near.send(pattern(100, i));
      await back.received(5000);
      assert.ok(back.data.equals(there.data));
    });

    it('can be closed from inside the delivery of a chunk', async () => {
      const { near, far } = await open();
      const there = new Recorder(far);
      const back = new Recorder(near);
      there.onChunk = () => far.close();
      for (let i = 0; i < 50; i++) near.send(pattern(1000, i));
      await Promise.all([there.closed(), back.closed()]);
      assert.equal(there.chunks.length, 1);
    });
  });
}
