import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { targetUrl } from '../../../src/transport/client-socket';
import { connectTransport } from '../../../src/transport/connect';
import { createWebSocketAcceptor } from '../../../src/transport/web-socket-acceptor';
import { TEST_ONLY_CERTIFICATE } from '../support/certificate';
import { echoServer, KINDS, refusal, Servers, TRUST, type Seen } from './connect-fixtures';
import { HeldClock, pattern, Recorder, turns } from './fixtures';

describe('connectTransport', () => {
  let servers: Servers;

  beforeEach(async () => {
    servers = await Servers.begin();
  });

  afterEach(() => servers.end());

  for (const kind of KINDS) {
    for (const [host, address] of [
      ['127.0.0.1', '127.0.0.1'],
      ['::1', '::1'],
      ['[::1]', '::1'],
      ['localhost', '127.0.0.1'],
    ] as const) {
      it(`connects to ${kind} at ${host}`, async () => {
        const port = await servers.serve(echoServer(kind), address);
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
        port: await servers.serve(server),
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
        const port = await servers.serve(echoServer(kind, seen));
        for (const host of ['localhost', '127.0.0.1']) {
          const transport = await connectTransport({ transport: kind, host, port }, TRUST);
          const recorder = new Recorder(transport);
          transport.close();
          await recorder.closed();
        }
        assert.deepEqual(seen.servernames, ['localhost', false]);
      });

      it(`${kind} refuses a certificate that nobody vouches for, unless told otherwise`, async () => {
        const port = await servers.serve(echoServer(kind));
        const target = { transport: kind, host: '127.0.0.1', port };
        for (const options of [undefined, {}, { tls: {} }, { tls: { rejectUnauthorized: true } }]) {
          const error = await refusal(target, options);
          assert.equal(error.code, 'IOTMP_ERR_CONNECT');
          assert.match(
            error.message,
            /the server has a self-signed certificate that is not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
          );
        }
        const transport = await connectTransport(target, { tls: { rejectUnauthorized: false } });
        const recorder = new Recorder(transport);
        transport.destroy();
        await recorder.closed();
      });

      it(`${kind} refuses a certificate for another name`, async () => {
        const port = await servers.serve(echoServer(kind), '127.0.0.2');
        const error = await refusal({ transport: kind, host: '127.0.0.2', port }, TRUST);
        assert.equal(error.code, 'IOTMP_ERR_CONNECT');
        assert.match(error.message, /127\.0\.0\.2.*ERR_TLS_CERT_ALTNAME_INVALID/s);
      });

      it(`${kind} takes the server name that it is given`, async () => {
        const seen: Seen = { servernames: [], requests: [] };
        const port = await servers.serve(echoServer(kind, seen));
        const options = { tls: { ca: TEST_ONLY_CERTIFICATE, servername: 'localhost' } };
        const transport = await connectTransport({ transport: kind, host: '127.0.0.1', port }, options);
        const recorder = new Recorder(transport);
        transport.close();
        await recorder.closed();
        assert.deepEqual(seen.servernames, ['localhost']);
      });
    }
  });

  describe('over WebSocket', () => {
    it('asks for the path, the subprotocol and no extension', async () => {
      const seen: Seen = { servernames: [], requests: [] };
      const port = await servers.serve(echoServer('ws', seen));
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
      const port = await servers.serve(server);
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

    it('asks a TLS server for HTTP/1.1', async () => {
      const server = echoServer('wss');
      const agreed = once(server, 'secureConnection') as Promise<[TLSSocket]>;
      const port = await servers.serve(server);
      const transport = await connectTransport({ transport: 'wss', host: '127.0.0.1', port }, TRUST);
      assert.equal((await agreed)[0].alpnProtocol, 'http/1.1');
      const recorder = new Recorder(transport);
      transport.close();
      await recorder.closed();
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
    const port = await servers.serve(echoServer('ws'));
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
