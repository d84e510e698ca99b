import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { WebSocket } from 'ws';
import { createWebSocketAcceptor, type WebSocketAcceptor } from '../../../src/transport/web-socket-acceptor';
import { maxPayloadFor } from '../../../src/transport/web-socket-settings';
import type { Transport } from '../../../src/transport/transport';
import { closeServer, listen, pattern, portOf, Recorder, socketClosed, turns } from './fixtures';
import { rawClient } from './web-socket-frames';

describe('WebSocketAcceptor', () => {
  let acceptor: WebSocketAcceptor;
  let server: http.Server;
  let transports: Transport[];

  beforeEach(async () => {
    acceptor = createWebSocketAcceptor({ maxPayload: 1_048_576 });
    transports = [];
    server = await listen(http.createServer());
    server.on('upgrade', (request, socket, head) => {
      acceptor.accept(request, socket, head, (transport) => transports.push(transport));
    });
  });

  afterEach(async () => {
    for (const transport of transports) transport.destroy();
    acceptor.close();
    await closeServer(server);
  });

  /** Sends `request` as it is; resolves to everything that came until the server ended the connection. */
  async function ask(...lines: string[]): Promise<string> {
    const socket = net.connect(portOf(server), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write([...lines, '', ''].join('\r\n'));
    await socketClosed(socket);
    return Buffer.concat(chunks).toString();
  }

  it('agrees on the subprotocol iotmp where it is offered, also among others', async () => {
    for (const offer of ['iotmp', 'mqtt, iotmp']) {
      const client = await rawClient({}, [`Sec-WebSocket-Protocol: ${offer}`]);
      assert.match(client.answer, /^HTTP\/1\.1 101 /);
      assert.match(client.answer, /^sec-websocket-protocol: iotmp\r$/im);
      await client.dispose();
    }
  });

  it('takes clients that offer no subprotocol or another one, and names none', async () => {
    for (const headers of [[], ['Sec-WebSocket-Protocol: mqtt']]) {
      const client = await rawClient({}, headers);
      assert.match(client.answer, /^HTTP\/1\.1 101 /);
      assert.doesNotMatch(client.answer, /sec-websocket-protocol/i);
      await client.dispose();
    }
  });

  it('agrees on no compression', async () => {
    const client = await rawClient({}, ['Sec-WebSocket-Extensions: permessage-deflate']);
    assert.doesNotMatch(client.answer, /sec-websocket-extensions/i);
    await client.dispose();
  });

  it('hands over a transport that names the client', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}/`);
    await once(client, 'open');
    assert.equal(transports.length, 1);
    assert.match(transports[0]!.remoteAddress, /^127\.0\.0\.1:\d+$/);
    const recorder = new Recorder(transports[0]);
    client.send(pattern(10));
    await recorder.received(10);
    client.terminate();
    await recorder.closed();
  });

  it('answers what is no WebSocket handshake, and hands over nothing', async () => {
    const upgrade = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    assert.match(await ask('GET / HTTP/1.1', ...upgrade), /^HTTP\/1\.1 400 /);
    assert.match(await ask('GET / HTTP/1.1', ...upgrade, 'Sec-WebSocket-Key: short'), /^HTTP\/1\.1 400 /);
    assert.match(await ask('POST / HTTP/1.1', ...upgrade), /^HTTP\/1\.1 405 /);
    assert.match(
      await ask('GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: h2c'),
      /^HTTP\/1\.1 400 /,
    );
    assert.deepEqual(transports, []);
  });

  it('answers 503 after close, and leaves the transports that it made alone', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}/`);
    await once(client, 'open');
    acceptor.close();
    acceptor.close();
    const late = new WebSocket(`ws://127.0.0.1:${portOf(server)}/`);
    const [error] = (await once(late, 'error')) as [Error];
    assert.match(error.message, /503/);
    assert.equal(transports.length, 1);
    const recorder = new Recorder(transports[0]);
    client.send(pattern(10));
    await recorder.received(10);
    assert.deepEqual(recorder.ends, []);
    client.terminate();
    await recorder.closed();
  });

  it('survives a client that is gone before the answer', async () => {
    const socket = net.connect(portOf(server), '127.0.0.1');
    await once(socket, 'connect');
    const upgraded = once(server, 'upgrade');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', () =>
      socket.resetAndDestroy(),
    );
    await upgraded;
    await socketClosed(socket);
    await turns();
    assert.deepEqual(transports, []);
  });

  it('allows several messages a frame, and never less than 1 MiB', () => {
    assert.equal(maxPayloadFor(100), 1_048_576);
    assert.equal(maxPayloadFor(262_144), 1_048_576);
    assert.equal(maxPayloadFor(1_000_000), 4_000_000);
    assert.equal(maxPayloadFor(Number.MAX_SAFE_INTEGER), 0x7fffffff);
  });
});
