import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import tls from 'node:tls';
import { targetUrl } from '../../../src/transport/client-socket';
import { connectTransport, type ConnectOptions, type ConnectTarget } from '../../../src/transport/connect';
import { IotmpError } from '../../../src/errors';
import { SocketTransport } from '../../../src/transport/socket-transport';
import type { Transport } from '../../../src/transport/transport';
import { createWebSocketAcceptor } from '../../../src/transport/web-socket-acceptor';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { closeServer, HeldClock, listen, pattern, portOf, Recorder, socketClosed, turns } from './fixtures';

type Kind = ConnectTarget['transport'];

const KINDS: readonly Kind[] = ['tcp', 'tls', 'ws', 'wss'];
const TRUST: ConnectOptions = { tls: { ca: TEST_ONLY_CERTIFICATE } };
const CREDENTIALS = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };

/** What a server saw of its clients. */
interface Seen {
  readonly servernames: (string | false | null)[];
  readonly requests: http.IncomingMessage[];
}

/** A server that sends back what it gets. */
function echoServer(kind: Kind, seen: Seen): net.Server {
  const echo = (transport: Transport) => {
    const recorder = new Recorder(transport);
    recorder.onChunk = (chunk) => transport.send(chunk);
  };
  if (kind === 'tcp') return net.createServer((socket) => echo(new SocketTransport(socket)));
  const server =
    kind === 'ws' ? http.createServer() : kind === 'wss' ? https.createServer(CREDENTIALS) : undefined;
  const secure = (socket: tls.TLSSocket) => seen.servernames.push(socket.servername);
  if (server === undefined) {
    const plain = tls.createServer(CREDENTIALS, (socket) => echo(new SocketTransport(socket)));
    return plain.on('secureConnection', secure);
  }
  const acceptor = createWebSocketAcceptor({ maxPayload: 1_048_576 });
  server.on('upgrade', (request: http.IncomingMessage, socket, head) => {
    seen.requests.push(request);
    acceptor.accept(request, socket, head, echo);
  });
  return server.on('secureConnection', secure);
}

/** What the network and the clock keep the process running for. */
function activeResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|TLS|Timeout|GetAddrInfo)/.test(name))
    .sort();
}

describe('connectTransport', () => {
  let servers: net.Server[];
  let sockets: Socket[];
  let before: string[];

  beforeEach(() => {
    servers = [];
    sockets = [];
    before = activeResources();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.map(closeServer));
    // Handles close in a turn of their own, look-ups of names on a thread.
    for (let i = 0; i < 100 && activeResources().join() !== before.join(); i++) await turns(1);
    assert.deepEqual(activeResources(), before);
  });

  async function serve(server: net.Server, host?: string): Promise<number> {
    servers.push(await listen(server, host));
    return portOf(server);
  }

  /** A port that nobody listens on. */
  async function unusedPort(): Promise<number> {
    const server = await listen(net.createServer());
    const port = portOf(server);
    await closeServer(server);
    return port;
  }

  /** A server that takes TCP connections and does with them what `use` says. */
  function tcpServer(use: (socket: Socket) => void = () => undefined): net.Server {
    return net.createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      use(socket);
    });
  }

  async function refusal(target: ConnectTarget, options?: ConnectOptions): Promise<IotmpError> {
    const error: unknown = await connectTransport(target, options).then(
      () => assert.fail('connected'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof IotmpError);
    return error;
  }

  for (const kind of KINDS) {
    for (const [host, address] of [
      ['127.0.0.1', '127.0.0.1'],
      ['::1', '::1'],
      ['[::1]', '::1'],
      ['localhost', '127.0.0.1'],
    ] as const) {
      it(`connects to ${kind} at ${host}`, async () => {
        const port = await serve(echoServer(kind, { servernames: [], requests: [] }), address);
        const clock = new HeldClock();
        const { signal } = new AbortController();
        const transport = await connectTransport(
          { transport: kind, host, port },
          { ...TRUST, clock, signal },
        );
        assert.equal(transport.kind, kind === 'wss' ? 'ws' : kind);
        assert.match(transport.remoteAddress, address === '::1' ? /^\[::1\]:\d+$/ : /^127\.0\.0\.1:\d+$/);
        assert.deepEqual(clock.running, []);
        assert.deepEqual(getEventListeners(signal, 'abort'), []);
        const recorder = new Recorder(transport);
        transport.send(pattern(100_000));
        await recorder.received(100_000);
        assert.ok(recorder.data.equals(pattern(100_000)));
        transport.close();
        await recorder.closed();
        assert.deepEqual(recorder.ends, [undefined]);
      });
    }
  }

  it('delivers nothing before the start, and nothing is lost', async () => {
    for (const kind of ['tcp', 'ws'] as const) {
      const server = kind === 'ws' ? http.createServer() : net.createServer();
      const acceptor = createWebSocketAcceptor({ maxPayload: 1_048_576 });
      server.on('upgrade', (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
        acceptor.accept(request, socket, head, (transport) => {
          transport.send(pattern(30));
          new Recorder(transport);
        });
      });
      if (kind === 'tcp') server.on('connection', (socket: Socket) => socket.end(pattern(30)));
      const transport = await connectTransport({
        transport: kind,
        host: '127.0.0.1',
        port: await serve(server),
      });
      await turns();
      const recorder = new Recorder(transport);
      await recorder.received(30);
      assert.ok(recorder.data.equals(pattern(30)));
      transport.close();
      await recorder.closed();
    }
  });

  describe('over TLS', () => {
    for (const kind of ['tls', 'wss'] as const) {
      it(`${kind} names a host to the server, but never an address`, async () => {
        const seen: Seen = { servernames: [], requests: [] };
        const port = await serve(echoServer(kind, seen));
        for (const host of ['localhost', '127.0.0.1']) {
          const transport = await connectTransport({ transport: kind, host, port }, TRUST);
          const recorder = new Recorder(transport);
          transport.close();
          await recorder.closed();
        }
        assert.deepEqual(seen.servernames, ['localhost', false]);
      });

      it(`${kind} refuses a certificate that nobody vouches for, unless told otherwise`, async () => {
        const port = await serve(echoServer(kind, { servernames: [], requests: [] }));
        const target = { transport: kind, host: '127.0.0.1', port };
        for (const options of [undefined, {}, { tls: {} }, { tls: { rejectUnauthorized: true } }]) {
          const error = await refusal(target, options);
          assert.equal(error.code, 'IOTMP_ERR_CONNECT');
          assert.match(error.message, /self-signed certificate.* \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/);
        }
        const transport = await connectTransport(target, { tls: { rejectUnauthorized: false } });
        const recorder = new Recorder(transport);
        transport.destroy();
        await recorder.closed();
      });

      it(`${kind} refuses a certificate for another name`, async () => {
        const port = await serve(echoServer(kind, { servernames: [], requests: [] }), '127.0.0.2');
        const error = await refusal({ transport: kind, host: '127.0.0.2', port }, TRUST);
        assert.equal(error.code, 'IOTMP_ERR_CONNECT');
        assert.match(error.message, /127\.0\.0\.2.*ERR_TLS_CERT_ALTNAME_INVALID/s);
      });

      it(`${kind} takes the server name that it is given`, async () => {
        const seen: Seen = { servernames: [], requests: [] };
        const port = await serve(echoServer(kind, seen));
        const options = { tls: { ca: TEST_ONLY_CERTIFICATE, servername: 'localhost' } };
        const transport = await connectTransport({ transport: kind, host: '127.0.0.1', port }, options);
        const recorder = new Recorder(transport);
        transport.close();
        await recorder.closed();
        assert.deepEqual(seen.servernames, ['localhost']);
      });
    }

    it('says what is wrong when the server does not speak TLS', async () => {
      const port = await serve(tcpServer((socket) => socket.end('hello, who is there?')));
      const error = await refusal({ transport: 'tls', host: '127.0.0.1', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.match(error.message, /wrong version number|packet length|SSL/i);
    });

    it('says that the server ended the connection during the handshake', async () => {
      const port = await serve(tcpServer((socket) => socket.destroy()));
      const error = await refusal({ transport: 'tls', host: '127.0.0.1', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.match(error.message, /before secure TLS connection|ECONNRESET/);
    });
  });

  describe('over WebSocket', () => {
    it('asks for the path, the subprotocol and no extension', async () => {
      const seen: Seen = { servernames: [], requests: [] };
      const port = await serve(echoServer('ws', seen));
      for (const path of [undefined, '/device?a=b', 'plain']) {
        const transport = await connectTransport({ transport: 'ws', host: '127.0.0.1', port, path });
        const recorder = new Recorder(transport);
        transport.close();
        await recorder.closed();
      }
      assert.deepEqual(
        seen.requests.map((request) => request.url),
        ['/iotmp', '/device?a=b', '/plain'],
      );
      const { headers } = seen.requests[0]!;
      assert.equal(headers['sec-websocket-protocol'], 'iotmp');
      assert.equal(headers['sec-websocket-extensions'], undefined);
      assert.equal(headers.host, `127.0.0.1:${port}`);
    });

    it('takes text frames that are not UTF-8, and frames up to the limit', async () => {
      const server = http.createServer();
      const acceptor = createWebSocketAcceptor({ maxPayload: 1_048_576 });
      server.on('upgrade', (request, socket, head) => {
        acceptor.accept(request, socket, head, (transport) => {
          new Recorder(transport);
          socket.write(Buffer.from('8102ff80', 'hex'));
          transport.send(pattern(1000));
          transport.send(pattern(1001));
        });
      });
      const port = await serve(server);
      const transport = await connectTransport(
        { transport: 'ws', host: '127.0.0.1', port },
        { maxPayload: 1000 },
      );
      const recorder = new Recorder(transport);
      await recorder.closed();
      assert.equal(recorder.bytes, 1002);
      assert.equal(recorder.data.readUInt16BE(), 0xff80);
      assert.equal((recorder.ends[0] as NodeJS.ErrnoException).code, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    });

    it('says what the server answered when it is no 101', async () => {
      const server = http.createServer((_request, response) => response.writeHead(404).end('not here'));
      const port = await serve(server);
      const error = await refusal({ transport: 'ws', host: '127.0.0.1', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.equal(
        error.message,
        `cannot connect to ws://127.0.0.1:${port}/iotmp: Unexpected server response: 404`,
      );
    });

    it('asks a TLS server for HTTP/1.1', async () => {
      const server = echoServer('wss', { servernames: [], requests: [] });
      const agreed = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
      const port = await serve(server);
      const transport = await connectTransport({ transport: 'wss', host: '127.0.0.1', port }, TRUST);
      assert.equal((await agreed)[0].alpnProtocol, 'http/1.1');
      const recorder = new Recorder(transport);
      transport.close();
      await recorder.closed();
    });

    it('does not follow a redirection', async () => {
      const server = http.createServer((_request, response) =>
        response.writeHead(302, { location: 'ws://127.0.0.1:1/' }).end(),
      );
      const error = await refusal({ transport: 'ws', host: '127.0.0.1', port: await serve(server) });
      assert.match(error.message, /response: 302$/);
    });

    it('fails when the answer is no HTTP, or the connection ends instead', async () => {
      for (const use of [
        (socket: Socket) => socket.end('SSH-2.0-OpenSSH\r\n'),
        (socket: Socket) => socket.once('data', () => socket.end()),
        (socket: Socket) => socket.once('data', () => socket.resetAndDestroy()),
      ]) {
        const error = await refusal({
          transport: 'ws',
          host: '127.0.0.1',
          port: await serve(tcpServer(use)),
        });
        assert.equal(error.code, 'IOTMP_ERR_CONNECT');
        assert.ok(error.cause instanceof Error);
      }
    });
  });

  describe('fails', () => {
    for (const kind of KINDS) {
      it(`with what the system said when ${kind} is refused`, async () => {
        const port = await unusedPort();
        const controller = new AbortController();
        const clock = new HeldClock();
        const error = await refusal(
          { transport: kind, host: '127.0.0.1', port },
          { signal: controller.signal, clock },
        );
        assert.equal(error.code, 'IOTMP_ERR_CONNECT');
        const url = `${kind}://127.0.0.1:${port}${kind.startsWith('ws') ? '/iotmp' : ''}`;
        assert.equal(error.message, `cannot connect to ${url}: connect ECONNREFUSED 127.0.0.1:${port}`);
        assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
        assert.deepEqual(getEventListeners(controller.signal, 'abort'), []);
        assert.deepEqual(clock.running, []);
      });

      it(`when ${kind} is aborted before it begins`, async () => {
        const error = await refusal(
          { transport: kind, host: '127.0.0.1', port: 1 },
          { signal: AbortSignal.abort(new Error('no more')) },
        );
        assert.equal(error.code, 'IOTMP_ERR_ABORTED');
        assert.equal((error.cause as Error).message, 'no more');
      });

      it(`when ${kind} is aborted while it connects`, async () => {
        const port = await serve(tcpServer());
        const controller = new AbortController();
        const clock = new HeldClock();
        const failed = refusal(
          { transport: kind, host: '127.0.0.1', port },
          { signal: controller.signal, clock },
        );
        controller.abort();
        assert.equal((await failed).code, 'IOTMP_ERR_ABORTED');
        assert.deepEqual(getEventListeners(controller.signal, 'abort'), []);
        assert.deepEqual(clock.running, []);
      });

      it(`when the time of ${kind} is over while it connects`, async () => {
        const port = await serve(tcpServer());
        const clock = new HeldClock();
        const failed = refusal({ transport: kind, host: '127.0.0.1', port }, { clock });
        assert.deepEqual(clock.running, [10_000]);
        clock.expire();
        const error = await failed;
        assert.equal(error.code, 'IOTMP_ERR_TIMEOUT');
        assert.match(error.message, /: the connection took longer than 10000 ms$/);
      });
    }

    for (const [kind, stage] of [
      ['tls', 'the TLS handshake'],
      ['ws', 'the WebSocket handshake'],
      ['wss', 'the TLS handshake'],
    ] as const) {
      for (const way of ['time', 'signal'] as const) {
        it(`by ${way} when a server takes ${kind} connections and then says nothing`, async () => {
          const server = tcpServer();
          const accepted = once(server, 'connection') as Promise<[Socket]>;
          const port = await serve(server);
          const controller = new AbortController();
          const clock = new HeldClock();
          const failed = refusal(
            { transport: kind, host: '127.0.0.1', port },
            { clock, timeoutMs: 321, signal: controller.signal },
          );
          const [peer] = await accepted;
          // The client is in its handshake once its first bytes are here.
          await once(peer, 'data');
          if (way === 'time') clock.expire();
          else controller.abort();
          const error = await failed;
          assert.equal(error.code, way === 'time' ? 'IOTMP_ERR_TIMEOUT' : 'IOTMP_ERR_ABORTED');
          assert.match(
            error.message,
            way === 'time' ? new RegExp(`: ${stage} took longer than 321 ms$`) : /: aborted$/,
          );
          // Nothing is left at the other end either.
          await socketClosed(peer);
          assert.deepEqual(clock.running, []);
          assert.deepEqual(getEventListeners(controller.signal, 'abort'), []);
        });
      }
    }

    it('by the clock of the machine', async () => {
      const error = await refusal(
        { transport: 'ws', host: '127.0.0.1', port: await serve(tcpServer()) },
        { timeoutMs: 20 },
      );
      assert.equal(error.code, 'IOTMP_ERR_TIMEOUT');
    });

    it('and names every address that was tried', async () => {
      const port = await unusedPort();
      const error = await refusal({ transport: 'tcp', host: 'localhost', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.match(error.message, new RegExp(`connect ECONNREFUSED 127\\.0\\.0\\.1:${port}`));
    });

    it('when host or port make no sense', async () => {
      for (const [host, port, text] of [
        ['127.0.0.1', 70_000, '70000 is no port'],
        ['127.0.0.1', 0, '0 is no port'],
        ['127.0.0.1', NaN, 'NaN is no port'],
        ['', 25_204, 'no host is given'],
      ] as const) {
        const error = await refusal({ transport: 'wss', host, port });
        assert.equal(error.code, 'IOTMP_ERR_CONNECT');
        assert.ok(error.message.endsWith(`: ${text}`), error.message);
      }
    });

    it('when the TLS options make no sense', async () => {
      const port = await serve(tcpServer());
      const error = await refusal(
        { transport: 'tls', host: '127.0.0.1', port },
        { tls: { cert: 'x', key: 'y' } },
      );
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.ok(error.cause instanceof Error);
    });

    it('when the path makes no sense', async () => {
      const port = await serve(tcpServer());
      const error = await refusal({ transport: 'ws', host: '127.0.0.1', port, path: '/a#b' });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.match(error.message, /fragment/);
    });
  });

  it('names its target as a URL without a zone', () => {
    const host = 'fe80::1%eth0';
    assert.equal(targetUrl({ transport: 'wss', host, port: 1, path: 'x' }), 'wss://[fe80::1]:1/x');
    assert.equal(
      targetUrl({ transport: 'tls', host: 'example.org', port: 25_206 }),
      'tls://example.org:25206',
    );
  });

  it('is not touched by the signal once it is connected', async () => {
    const port = await serve(echoServer('ws', { servernames: [], requests: [] }));
    const controller = new AbortController();
    const transport = await connectTransport(
      { transport: 'ws', host: '127.0.0.1', port },
      { signal: controller.signal },
    );
    controller.abort();
    const recorder = new Recorder(transport);
    transport.send(pattern(10));
    await recorder.received(10);
    transport.close();
    await recorder.closed();
  });
});
