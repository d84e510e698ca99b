import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, it } from 'mocha';
import fc from 'fast-check';
import { WebSocketTransport } from '../../../src/transport/web-socket-transport';
import { fakes } from '../../support/fakes';
import { acceptedWebSocket, pattern, Recorder, turns } from './fixtures';
import { clientFrame, Opcode, rawClient, readFrames, type RawClient } from './web-socket-frames';

const NOT_UTF8 = Buffer.from('0320ff80c3280a00fe', 'hex');

/** Counts what reaches the system: a call of `_write` or `_writev` is one system call. */
function systemWrites(socket: Socket): () => number {
  const single = fakes.spy(socket, '_write');
  const several = fakes.spy(socket, '_writev' as '_write');
  return () => single.callCount + several.callCount;
}

describe('WebSocketTransport', () => {
  let disposable: { dispose(): Promise<void> } | undefined;

  async function raw(...args: Parameters<typeof rawClient>): Promise<RawClient> {
    const client = await rawClient(...args);
    disposable = client;
    return client;
  }

  async function accepted(...args: Parameters<typeof acceptedWebSocket>) {
    const connection = await acceptedWebSocket(...args);
    disposable = connection;
    return connection;
  }

  afterEach(async () => {
    await disposable?.dispose();
    disposable = undefined;
  });

  describe('receives', () => {
    it('text frames that are not UTF-8 as bytes', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      socket.write(clientFrame(Opcode.TEXT, NOT_UTF8));
      socket.write(clientFrame(Opcode.BINARY, NOT_UTF8));
      await recorder.received(2 * NOT_UTF8.length);
      assert.ok(recorder.data.equals(Buffer.concat([NOT_UTF8, NOT_UTF8])));
    });

    it('any mix of frames, cut anywhere on the way, as one byte stream', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      let expected = 0;
      const frame = fc.record({
        opcode: fc.constantFrom(Opcode.TEXT, Opcode.BINARY),
        payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fragments: fc.integer({ min: 1, max: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(frame, { maxLength: 8 }),
          fc.integer({ min: 1, max: 60 }),
          async (frames, cut) => {
            const bytes = Buffer.concat(
              frames.map((one) => fragmented(one.opcode, one.payload, one.fragments)),
            );
            const sent = Buffer.concat(frames.map((one) => one.payload));
            for (let at = 0; at < bytes.length; at += cut) {
              socket.write(bytes.subarray(at, at + cut));
              await turns(1);
            }
            expected += sent.length;
            await recorder.received(expected);
            assert.ok(recorder.data.subarray(expected - sent.length).equals(sent));
          },
        ),
        { numRuns: 40 },
      );
      assert.deepEqual(recorder.ends, []);
      assert.ok(recorder.chunks.every((chunk) => chunk.length > 0));
    });

    it('frames that came in one packet with the handshake', async () => {
      const { transport } = await raw({}, [], clientFrame(Opcode.TEXT, NOT_UTF8));
      await turns();
      const recorder = new Recorder(transport);
      await recorder.received(NOT_UTF8.length);
      assert.ok(recorder.data.equals(NOT_UTF8));
    });

    it('nothing for an empty frame', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      socket.write(
        Buffer.concat([clientFrame(Opcode.BINARY, Buffer.alloc(0)), clientFrame(Opcode.TEXT, pattern(3))]),
      );
      await recorder.received(3);
      assert.equal(recorder.chunks.length, 1);
    });

    it('fragments and array buffers as the byte stream that they are', async () => {
      const { client, nearSocket, far } = await accepted();
      const near = new WebSocketTransport(client, nearSocket);
      const recorder = new Recorder(near);
      client.emit('message', [pattern(3), pattern(4)], true);
      client.emit('message', new Uint8Array([1, 2, 3]).buffer, true);
      assert.ok(recorder.data.equals(Buffer.concat([pattern(3), pattern(4), Buffer.from([1, 2, 3])])));
      far.destroy();
    });

    it('one frame only when it is paused in it, though more came in the same packet', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      recorder.onChunk = () => transport.pause();
      socket.write(Buffer.concat([1, 2, 3, 4].map((i) => clientFrame(Opcode.BINARY, pattern(10, i)))));
      for (let frames = 1; frames <= 4; frames++) {
        await recorder.received(10 * frames);
        await turns();
        assert.equal(recorder.chunks.length, frames);
        transport.resume();
      }
      assert.ok(recorder.data.equals(Buffer.concat([1, 2, 3, 4].map((i) => pattern(10, i)))));
    });

    it('the frames before a close frame, though it is paused when all came in one packet', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      recorder.onChunk = () => transport.pause();
      const frames = [1, 2].map((i) => clientFrame(Opcode.BINARY, pattern(10, i)));
      socket.end(Buffer.concat([...frames, clientFrame(Opcode.CLOSE, Buffer.alloc(0))]));
      await once(socket, 'close');
      await turns();
      assert.deepEqual([recorder.chunks.length, recorder.ends.length], [1, 0]);
      transport.resume();
      await recorder.received(20);
      await turns();
      assert.equal(recorder.ends.length, 0);
      transport.resume();
      await recorder.closed();
      assert.deepEqual([recorder.chunks.length, recorder.ends], [2, [undefined]]);
    });

    it('no frame that is held when the connection fails meanwhile', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      recorder.onChunk = () => transport.pause();
      socket.write(Buffer.concat([1, 2].map((i) => clientFrame(Opcode.BINARY, pattern(10, i)))));
      await recorder.received(10);
      socket.resetAndDestroy();
      await recorder.closed();
      transport.resume();
      await turns();
      assert.equal(recorder.chunks.length, 1);
      assert.equal((recorder.ends[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
    });

    it('no frame that is held once it is closed', async () => {
      const { socket, transport } = await raw();
      const recorder = new Recorder(transport);
      recorder.onChunk = () => transport.pause();
      const frames = [1, 2].map((i) => clientFrame(Opcode.BINARY, pattern(10, i)));
      socket.end(Buffer.concat([...frames, clientFrame(Opcode.CLOSE, Buffer.alloc(0))]));
      await once(socket, 'close');
      await turns();
      transport.destroy();
      await recorder.closed();
      assert.deepEqual([recorder.chunks.length, recorder.ends], [1, [undefined]]);
    });
  });

  describe('sends', () => {
    it('each message in one unfragmented, uncompressed binary frame, and never an empty one', async () => {
      const { transport, received } = await raw({}, ['Sec-WebSocket-Extensions: permessage-deflate']);
      const messages = [pattern(1), pattern(125), Buffer.alloc(500, 'a'), pattern(70_000), pattern(2)];
      for (const message of [Buffer.alloc(0), ...messages]) transport.send(message);
      transport.close();
      while (readFrames(received()).length < 6) await turns(1);
      const frames = readFrames(received());
      assert.deepEqual(
        frames.map(({ fin, reserved, opcode, masked }) => ({ fin, reserved, opcode, masked })),
        [2, 2, 2, 2, 2, 8].map((opcode) => ({ fin: true, reserved: 0, opcode, masked: false })),
      );
      for (const [i, message] of messages.entries()) assert.ok(frames[i]!.payload.equals(message));
      assert.equal(frames[5]!.payload.readUInt16BE(), 1000);
    });

    it('the frames of one turn, also of promise reactions, in one system call', async () => {
      const { client, farSocket, far } = await accepted();
      const sizes: number[] = [];
      client.on('message', (data: Buffer) => sizes.push(data.length));
      const count = systemWrites(farSocket);
      for (let i = 0; i < 100; i++) far.send(pattern(45, i));
      await Promise.resolve().then(() => far.send(pattern(46)));
      assert.ok(far.bufferedBytes > 4546);
      while (sizes.length < 101) await turns(1);
      assert.equal(count(), 1);
      assert.deepEqual(sizes, [...Array<number>(100).fill(45), 46]);
      assert.equal(far.bufferedBytes, 0);
    });

    it('before the turn is over once 64 KiB have gathered', async () => {
      const { farSocket, far } = await accepted();
      const count = systemWrites(farSocket);
      for (let i = 0; i < 70; i++) far.send(pattern(1000));
      assert.equal(count(), 1);
      await turns(1);
      assert.equal(count(), 2);
    });

    it('masked frames as a client, and leaves the message as it was', async () => {
      const { client, nearSocket, far } = await accepted();
      const near = new WebSocketTransport(client, nearSocket);
      const recorder = new Recorder(far);
      const message = pattern(1000);
      near.send(message);
      await recorder.received(1000);
      assert.ok(message.equals(pattern(1000)));
      assert.ok(recorder.data.equals(message));
    });

    it('nothing more once the peer began to close', async () => {
      const { socket, transport, received } = await raw();
      const recorder = new Recorder(transport);
      socket.allowHalfOpen = true;
      socket.write(clientFrame(Opcode.CLOSE, Buffer.alloc(0)));
      await once(socket, 'end');
      assert.deepEqual(recorder.ends, []);
      assert.equal(transport.send(pattern(100_000)), true);
      assert.equal(transport.bufferedBytes, 0);
      socket.end();
      await recorder.closed();
      assert.deepEqual(
        readFrames(received()).map((frame) => frame.opcode),
        [Opcode.CLOSE],
      );
    });
  });

  it('answers a ping', async () => {
    const { client, far } = await accepted();
    new Recorder(far);
    client.ping(pattern(4));
    const [data] = (await once(client, 'pong')) as [Buffer];
    assert.ok(data.equals(pattern(4)));
  });

  it('says so when it is past the high-water mark within one turn, and drains once', async () => {
    const { client, far } = await accepted({ highWaterMark: 500 });
    const recorder = new Recorder(far);
    client.on('message', () => undefined);
    assert.equal(far.send(pattern(400)), true);
    assert.equal(far.send(pattern(400)), false);
    assert.equal(far.send(pattern(400)), false);
    await recorder.drained();
    await turns();
    assert.equal(recorder.drains, 1);
  });
});

/** `payload` in up to `count` fragments. */
function fragmented(opcode: number, payload: Buffer, count: number): Buffer {
  const size = Math.max(1, Math.ceil(payload.length / count));
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += size) {
    const last = at + size >= payload.length;
    frames.push(clientFrame(at === 0 ? opcode : Opcode.CONTINUATION, payload.subarray(at, at + size), last));
  }
  return Buffer.concat(frames);
}
