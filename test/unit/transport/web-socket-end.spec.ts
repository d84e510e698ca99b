import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, describe, it } from 'mocha';
import { acceptedWebSocket, HeldClock, pattern, Recorder, turns } from './fixtures';
import { clientFrame, Opcode, rawClient, readFrames, type RawClient } from './web-socket-frames';

describe('WebSocketTransport ends', () => {
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

  it('with close code 1000', async () => {
    const { client, far } = await accepted();
    const recorder = new Recorder(far);
    far.close();
    const [code] = (await once(client, 'close')) as [number];
    assert.equal(code, 1000);
    await recorder.closed();
    assert.deepEqual(recorder.ends, [undefined]);
  });

  it('without an error when the peer closes normally, or without a close frame', async () => {
    for (const end of [
      (client: RawClient) => client.socket.write(clientFrame(Opcode.CLOSE, Buffer.from([0x03, 0xe9]))),
      (client: RawClient) => client.socket.write(clientFrame(Opcode.CLOSE, Buffer.alloc(0))),
      (client: RawClient) => client.socket.end(),
    ]) {
      const client = await raw();
      const recorder = new Recorder(client.transport);
      end(client);
      await recorder.closed();
      assert.deepEqual(recorder.ends, [undefined]);
      await client.dispose();
    }
  });

  it('with what the peer complains of', async () => {
    const { client, far } = await accepted();
    const recorder = new Recorder(far);
    client.close(1011, 'out of\nmemory');
    await recorder.closed();
    assert.equal(recorder.ends.length, 1);
    assert.equal(recorder.ends[0]?.message, 'the peer closed the WebSocket with code 1011 "out of\\nmemory"');
    assert.equal((recorder.ends[0] as { code?: unknown }).code, 'IOTMP_ERR_PROTOCOL');
  });

  it('with the error of the socket when the peer resets it', async () => {
    const { nearSocket, far } = await accepted();
    const recorder = new Recorder(far);
    nearSocket.resetAndDestroy();
    await recorder.closed();
    await turns();
    assert.equal(recorder.ends.length, 1);
    assert.equal((recorder.ends[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  });

  it('with an error when a frame is larger than the limit, and tells the peer why', async () => {
    const { socket, transport, received } = await raw({ maxPayload: 1000 });
    const recorder = new Recorder(transport);
    socket.write(clientFrame(Opcode.BINARY, pattern(1000)));
    await recorder.received(1000);
    socket.write(clientFrame(Opcode.BINARY, pattern(1001)));
    await recorder.closed();
    assert.equal((recorder.ends[0] as { code?: unknown }).code, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    assert.equal(readFrames(received())[0]!.payload.readUInt16BE(), 1009);
    assert.equal(recorder.ends.length, 1);
  });

  it('within the grace when the peer breaks the rules of WebSocket and then stays', async () => {
    const clock = new HeldClock();
    const { socket, transport } = await raw({ clock });
    const recorder = new Recorder(transport);
    socket.allowHalfOpen = true;
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await once(socket, 'end');
    assert.equal(transport.send(pattern(10)), true);
    assert.deepEqual(clock.running, [2000]);
    clock.expire();
    await recorder.closed();
    assert.match(recorder.ends[0]!.message, /invalid WebSocket frame/i);
    assert.deepEqual(clock.running, []);
  });

  it('within the grace when the peer does not answer the close frame', async () => {
    const clock = new HeldClock();
    const { socket, transport, received } = await raw({ clock, closeGraceMs: 77 });
    const recorder = new Recorder(transport);
    transport.send(pattern(10));
    transport.close();
    while (readFrames(received()).length < 2) await once(socket, 'data');
    assert.deepEqual([clock.running, recorder.ends], [[77], []]);
    clock.expire();
    await recorder.closed();
    assert.deepEqual(recorder.ends, [undefined]);
  });

  it('within the grace when the peer ended its side and never reads', async () => {
    const clock = new HeldClock();
    const { socket, transport } = await raw({ clock });
    const recorder = new Recorder(transport);
    socket.pause();
    socket.allowHalfOpen = true;
    while (transport.bufferedBytes < 200_000) {
      transport.send(pattern(100_000));
      await turns(1);
    }
    socket.end();
    while (clock.running.length === 0) await turns(1);
    clock.expire();
    await recorder.closed();
    assert.equal(recorder.ends.length, 1);
  });

  it('by the time limit when the peer sent a close frame and stays', async () => {
    const { socket, transport } = await raw({ closeGraceMs: 20 });
    const recorder = new Recorder(transport);
    socket.allowHalfOpen = true;
    socket.write(clientFrame(Opcode.CLOSE, Buffer.alloc(0)));
    await recorder.closed();
    assert.deepEqual(recorder.ends, [undefined]);
  });
});
