import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, it } from 'mocha';
import { SocketTransport } from '../../../src/transport/socket-transport';
import type { TransportOptions } from '../../../src/transport/transport-options';
import { fakes } from '../../support/fakes';
import {
  HeldClock,
  pattern,
  Recorder,
  socketClosed,
  tcpSockets,
  tlsSockets,
  turns,
  type SocketPair,
} from './fixtures';

/** Counts what reaches the system: a call of `_write` or `_writev` is one system call. */
function spySystemWrites(socket: Socket) {
  const single = fakes.spy(socket, '_write');
  const several = fakes.spy(socket, '_writev' as '_write');
  return { count: () => single.callCount + several.callCount, single };
}

describe('SocketTransport', () => {
  let sockets: SocketPair | undefined;

  async function open(options?: TransportOptions, make = tcpSockets) {
    sockets = await make();
    const transport = new SocketTransport(sockets.near, options);
    return { transport, socket: sockets.near, peer: sockets.far };
  }

  afterEach(async () => {
    await sockets?.dispose();
    sockets = undefined;
  });

  it('switches the delay of small segments off', async () => {
    sockets = await tcpSockets();
    const setNoDelay = fakes.spy(sockets.near, 'setNoDelay');
    new SocketTransport(sockets.near);
    assert.deepEqual(setNoDelay.firstCall.args, [true]);
  });

  describe('writes', () => {
    it('a lone message in the same turn, as it is, without a copy', async () => {
      const { transport, socket } = await open();
      const write = fakes.spy(socket, 'write');
      const message = pattern(40);
      transport.send(message);
      assert.equal(transport.bufferedBytes, 40);
      const written = await new Promise((resolve) => setImmediate(() => resolve(write.firstCall.args[0])));
      assert.equal(written, message);
      assert.equal(write.callCount, 1);
      assert.equal(transport.bufferedBytes, 0);
    });

    it('all messages of a turn at once, also those that promise reactions and ticks send', async () => {
      const { transport, socket, peer } = await open();
      const spy = spySystemWrites(socket);
      const answer = async (i: number) => {
        for (let step = 0; step < 5; step++) await Promise.resolve();
        transport.send(pattern(50, i));
      };
      for (let i = 0; i < 100; i++) transport.send(pattern(45, i));
      process.nextTick(() => transport.send(pattern(7)));
      await Promise.all([answer(1), answer(2), answer(3)]);
      transport.send(pattern(9));
      const [chunk] = (await once(peer, 'data')) as [Buffer];
      assert.equal(chunk.length, 100 * 45 + 7 + 3 * 50 + 9);
      assert.equal(spy.count(), 1);
    });

    it('the messages of two turns apart', async () => {
      const { transport, socket } = await open();
      const spy = spySystemWrites(socket);
      transport.send(pattern(10));
      await turns(2);
      transport.send(pattern(10));
      await turns(2);
      assert.equal(spy.count(), 2);
    });

    it('large messages of a batch as they are, small ones between them joined, in one system call', async () => {
      const { transport, socket, peer } = await open();
      const spy = spySystemWrites(socket);
      const write = fakes.spy(socket, 'write');
      const large = pattern(20_000);
      const messages = [
        pattern(10),
        pattern(20),
        large,
        pattern(30),
        pattern(40),
        large.subarray(1),
        pattern(5),
      ];
      for (const message of messages) transport.send(message);
      const there: Buffer[] = [];
      peer.on('data', (chunk: Buffer) => there.push(chunk));
      await turns();
      assert.ok(Buffer.concat(there).equals(Buffer.concat(messages)));
      assert.equal(spy.count(), 1);
      const pieces = write.getCalls().map((call) => call.args[0] as Buffer);
      assert.deepEqual(
        pieces.map((piece) => piece.length),
        [30, 20_000, 70, 19_999, 5],
      );
      assert.equal(pieces[1], large);
      assert.equal(pieces[3], messages[5]);
    });

    it('before the turn is over once 64 KiB have gathered', async () => {
      const { transport, socket } = await open();
      const spy = spySystemWrites(socket);
      let most = 0;
      for (let i = 0; i < 1000; i++) {
        transport.send(pattern(1000));
        most = Math.max(most, transport.bufferedBytes - socket.writableLength);
      }
      assert.ok(most < 65_536, `${most} bytes gathered`);
      assert.ok(spy.count() > 0);
      socket.destroy();
    });

    it('nothing for an empty message', async () => {
      const { transport, socket } = await open();
      const write = fakes.spy(socket, 'write');
      assert.equal(transport.send(Buffer.alloc(0)), true);
      await turns();
      assert.equal(write.callCount, 0);
    });

    it('nothing of a batch that destroy overtook', async () => {
      const { transport, socket, peer } = await open();
      const write = fakes.spy(socket, 'write');
      const recorder = new Recorder(transport);
      transport.send(pattern(10));
      transport.destroy();
      await recorder.closed();
      peer.resume();
      await once(peer, 'end');
      assert.equal(write.callCount, 0);
      assert.equal(peer.bytesRead, 0);
    });

    it('a batch in one system call over TLS too', async () => {
      const { transport, socket, peer } = await open(undefined, tlsSockets);
      const spy = spySystemWrites(socket);
      for (let i = 0; i < 100; i++) transport.send(pattern(45, i));
      const [chunk] = (await once(peer, 'data')) as [Buffer];
      assert.equal(chunk.length, 4500);
      assert.equal(spy.count(), 1);
    });
  });

  describe('counts as buffered', () => {
    it('what waits for the end of the turn, and says so past the high-water mark', async () => {
      const { transport } = await open({ highWaterMark: 100 });
      const recorder = new Recorder(transport);
      assert.equal(transport.send(pattern(60)), true);
      assert.equal(transport.send(pattern(40)), true);
      assert.equal(transport.send(pattern(1)), false);
      assert.equal(transport.bufferedBytes, 101);
      await recorder.drained();
      assert.equal(transport.bufferedBytes, 0);
      await turns();
      assert.equal(recorder.drains, 1);
    });

    it('64 KiB before it says stop, where nothing else is set', async () => {
      const { transport, socket } = await open();
      socket.cork();
      assert.equal(transport.send(pattern(65_536)), true);
      assert.equal(transport.send(pattern(1)), false);
      socket.uncork();
    });
  });

  describe('when the peer', () => {
    it('ends its side, it ends too, after what the turn has gathered', async () => {
      const { transport, peer } = await open();
      const recorder = new Recorder(transport);
      recorder.onChunk = () => transport.send(pattern(100));
      peer.allowHalfOpen = true;
      const answer = new Recorder();
      peer.on('data', (chunk: Buffer) => answer.onData(chunk));
      peer.end(pattern(3));
      await recorder.closed();
      assert.deepEqual(recorder.ends, [undefined]);
      await socketClosed(peer);
      assert.deepEqual([recorder.bytes, answer.bytes], [3, 100]);
    });

    it('ends its side, what is sent in the same turn still leaves', async () => {
      const { transport, socket, peer } = await open({ clock: new HeldClock() });
      const recorder = new Recorder(transport);
      socket.prependListener('end', () => transport.send(pattern(100)));
      peer.allowHalfOpen = true;
      const answer = new Recorder();
      peer.on('data', (chunk: Buffer) => answer.onData(chunk));
      peer.end();
      await recorder.closed();
      await socketClosed(peer);
      assert.deepEqual([answer.bytes, recorder.ends], [100, [undefined]]);
    });

    it('ends its side, a socket that may be half open is closed too', async () => {
      sockets = await tcpSockets();
      sockets.near.allowHalfOpen = true;
      const recorder = new Recorder(new SocketTransport(sockets.near, { clock: new HeldClock() }));
      sockets.far.end();
      await recorder.closed();
      assert.deepEqual(recorder.ends, [undefined]);
    });

    it('ends its side and never reads, it waits no longer than the grace', async () => {
      const clock = new HeldClock();
      const { transport, peer } = await open({ clock });
      const recorder = new Recorder(transport);
      peer.pause();
      peer.allowHalfOpen = true;
      while (transport.bufferedBytes < 200_000) {
        transport.send(pattern(100_000));
        await turns(1);
      }
      peer.end();
      while (clock.running.length === 0) await turns(1);
      assert.deepEqual(recorder.ends, []);
      assert.deepEqual(clock.running, [2000]);
      clock.expire();
      await recorder.closed();
      assert.equal(recorder.ends.length, 1);
    });

    it('resets the connection, it tells so, once', async () => {
      const { transport, peer } = await open();
      const recorder = new Recorder(transport);
      peer.resetAndDestroy();
      await recorder.closed();
      await turns();
      assert.equal(recorder.ends.length, 1);
      assert.equal((recorder.ends[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
      assert.equal(transport.send(pattern(10)), true);
      assert.equal(transport.bufferedBytes, 0);
    });

    it('resets the connection while paused with data and a full buffer, it tells so all the same', async () => {
      const { transport, peer } = await open();
      const recorder = new Recorder(transport);
      transport.pause();
      peer.write(pattern(1000));
      while (transport.send(pattern(60_000))) await turns(2);
      peer.resetAndDestroy();
      await recorder.closed();
      await turns();
      assert.equal(recorder.ends.length, 1);
      assert.ok(recorder.ends[0] instanceof Error);
      assert.deepEqual([recorder.bytes, recorder.drains], [0, 0]);
    });

    it('is gone before the transport was made, it tells so', async () => {
      sockets = await tcpSockets();
      sockets.near.destroy();
      await once(sockets.near, 'close');
      const transport = new SocketTransport(sockets.near);
      const recorder = new Recorder(transport);
      assert.equal(transport.send(pattern(10)), true);
      await recorder.closed();
      assert.deepEqual(recorder.ends, [undefined]);
      assert.equal(transport.remoteAddress, 'unknown');
    });

    it('never closes its side, it is cut by the clock of the machine', async () => {
      const { transport, peer } = await open({ closeGraceMs: 20 });
      const recorder = new Recorder(transport);
      peer.allowHalfOpen = true;
      peer.resume();
      transport.close();
      await once(peer, 'end');
      await recorder.closed();
      assert.deepEqual(recorder.ends, [undefined]);
    });
  });

  it('delivers chunks that nobody writes into again', async () => {
    const { transport, peer } = await open();
    const recorder = new Recorder(transport);
    const copies: Buffer[] = [];
    recorder.onChunk = (chunk) => copies.push(Buffer.from(chunk));
    for (let i = 0; i < 50; i++) {
      peer.write(pattern(3000, i));
      await turns(1);
    }
    await recorder.received(150_000);
    assert.ok(recorder.data.equals(Buffer.concat(copies)));
  });
});
