import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, it } from 'mocha';
import { IotmpClient } from '../../../src/client/client';
import type { ClientState } from '../../../src/client/client-events';
import type { ClientOptions } from '../../../src/client/client-options';
import { ResourceRegistry } from '../../../src/session/hosting/resource-registry';
import { SocketTransport } from '../../../src/transport/socket-transport';
import type { Transport } from '../../../src/transport/transport';
import { createWebSocketAcceptor } from '../../../src/transport/web-socket-acceptor';
import { maxPayloadFor } from '../../../src/transport/web-socket-settings';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { reset } from '../support/reset';
import { PeerSession } from '../../../src/session/peer-session';

/** A server of sessions over sockets that can be killed and started again on its port. */
class MiniServer {
  readonly resources = new ResourceRegistry();
  readonly sessions: PeerSession[] = [];
  readonly #make: (serve: (transport: Transport) => void) => net.Server;
  readonly #sockets = new Set<net.Socket>();
  #server: net.Server | undefined;
  port = 0;

  constructor(make: (serve: (transport: Transport) => void) => net.Server) {
    this.#make = make;
  }

  async start(): Promise<void> {
    const server = this.#make((transport) => {
      this.sessions.push(new PeerSession(transport, this.resources, { onConnect: () => undefined }));
    });
    this.#server = server;
    server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  /** Ends it as a crash would: no goodbye. Resolves when every socket is gone. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server?.listening !== true) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) reset(socket);
    await closed;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }
}

const kinds: Record<string, (serve: (transport: Transport) => void) => net.Server> = {
  tcp: (serve) => net.createServer((socket) => serve(new SocketTransport(socket))),
  tls: (serve) =>
    tls.createServer({ key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE }, (socket) =>
      serve(new SocketTransport(socket)),
    ),
  ws: (serve) => {
    const acceptor = createWebSocketAcceptor({ maxPayload: maxPayloadFor(262_144) });
    return http
      .createServer()
      .on('upgrade', (request: http.IncomingMessage, socket: net.Socket, head: Buffer) =>
        acceptor.accept(request, socket, head, serve),
      );
  },
};

/** Resolves when the client is in this state. */
async function reached(client: IotmpClient, state: ClientState): Promise<void> {
  while (client.state !== state) await once(client, 'state');
}

describe('over sockets', () => {
  const cleanups: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  async function startServer(kind: string): Promise<MiniServer> {
    const server = new MiniServer(kinds[kind]!);
    cleanups.push(() => server.kill());
    server.resources.host('echo', { kind: 'inout', run: ({ payload }) => payload });
    await server.start();
    return server;
  }

  function newClient(options: Partial<ClientOptions>): IotmpClient {
    const client = new IotmpClient({
      host: '127.0.0.1',
      user: 'user1',
      device: 'sensor1',
      credential: 'secret123',
      reconnect: { minMs: 10, maxMs: 50 },
      ...options,
    });
    cleanups.unshift(() => client.close());
    return client;
  }

  for (const kind of ['tcp', 'tls', 'ws'] as const) {
    it(`${kind}: returns after the server was killed and started again on its port`, async () => {
      const server = await startServer(kind);
      const client = newClient({
        port: server.port,
        transport: kind,
        tls: { ca: TEST_ONLY_CERTIFICATE },
      });
      client.host('twice', { kind: 'inout', run: ({ payload }) => Number(payload) * 2 });
      const states: string[] = [];
      const stream = client.stream(
        'echo',
        {},
        { onSample: () => undefined, onState: (state) => states.push(state) },
      );
      client.connect();
      await client.ready();
      assert.equal((await client.call('echo', { payload: 'hello' })).payload, 'hello');
      await server.kill();
      await reached(client, 'waiting');
      await reached(client, 'connecting');
      await reached(client, 'waiting');
      assert.equal(client.lastError?.code, 'IOTMP_ERR_CONNECT');
      assert.equal(stream.state, 'waiting');
      await server.start();
      await client.ready();
      // Answered after the START_STREAM that was sent before it.
      await client.call('echo');
      assert.equal((await server.sessions.at(-1)?.call('twice', { payload: 21 }))?.payload, 42);
      assert.equal(stream.state, 'streaming');
      assert.deepEqual(states, ['starting', 'streaming', 'waiting', 'starting', 'streaming']);
      await client.close();
      await client.close();
      assert.equal(client.state, 'closed');
    });
  }

  it('ends its socket before close resolves', async () => {
    const server = await startServer('tcp');
    const client = newClient({ port: server.port });
    client.connect();
    await client.ready();
    const [session] = server.sessions;
    const ended = new Promise((resolve) => session?.signal.addEventListener('abort', resolve));
    const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    await client.close();
    await ended;
    const after = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    assert.ok(after < before, `${before} sockets before, ${after} after`);
    assert.match(String(session?.signal.reason), /the peer disconnected/);
  });

  it('does not trust a certificate that nobody vouches for, and says so', async () => {
    const server = await startServer('tls');
    const client = newClient({ port: server.port, transport: 'tls' });
    client.connect();
    await reached(client, 'waiting');
    assert.equal(client.lastError?.code, 'IOTMP_ERR_CONNECT');
    assert.match(client.lastError.message, /certificate/);
    assert.equal(server.sessions.length, 0);
  });

  it('gives up an attempt whose connection hangs, when it is closed', async () => {
    const mute = net.createServer();
    const sockets: net.Socket[] = [];
    mute.on('connection', (socket) => sockets.push(socket));
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const client = newClient({ port, transport: 'wss' });
    client.connect();
    await once(mute, 'connection');
    await client.close();
    assert.equal(client.state, 'closed');
    const closed = once(mute, 'close');
    for (const socket of sockets) socket.destroy();
    mute.close();
    await closed;
  });
});
