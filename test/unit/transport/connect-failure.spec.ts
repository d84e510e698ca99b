import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { KINDS, refusal, Servers, unusedPort } from './connect-fixtures';
import { HeldClock, socketClosed } from './fixtures';

describe('connectTransport fails', () => {
  let servers: Servers;

  beforeEach(async () => {
    servers = await Servers.begin();
  });

  afterEach(() => servers.end());

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
      assert.equal(
        error.message,
        `cannot connect to ${url}: nothing listens at 127.0.0.1:${port} (ECONNREFUSED)`,
      );
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
      const port = await servers.serve(servers.tcp());
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
      const port = await servers.serve(servers.tcp());
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
        const server = servers.tcp();
        const accepted = once(server, 'connection') as Promise<[Socket]>;
        const port = await servers.serve(server);
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
      { transport: 'ws', host: '127.0.0.1', port: await servers.serve(servers.tcp()) },
      { timeoutMs: 20 },
    );
    assert.equal(error.code, 'IOTMP_ERR_TIMEOUT');
  });

  it('and names every address that was tried', async () => {
    const port = await unusedPort();
    const error = await refusal({ transport: 'tcp', host: 'localhost', port });
    assert.equal(error.code, 'IOTMP_ERR_CONNECT');
    assert.match(error.message, new RegExp(`nothing listens at 127\\.0\\.0\\.1:${port} \\(ECONNREFUSED\\)`));
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
    const port = await servers.serve(servers.tcp());
    const error = await refusal(
      { transport: 'tls', host: '127.0.0.1', port },
      { tls: { cert: 'x', key: 'y' } },
    );
    assert.equal(error.code, 'IOTMP_ERR_CONNECT');
    assert.ok(error.cause instanceof Error);
  });

  it('when the path makes no sense', async () => {
    const port = await servers.serve(servers.tcp());
    const error = await refusal({ transport: 'ws', host: '127.0.0.1', port, path: '/a#b' });
    assert.equal(error.code, 'IOTMP_ERR_CONNECT');
    assert.match(error.message, /fragment/);
  });

  describe('during a handshake', () => {
    it('with what is wrong when the server does not speak TLS', async () => {
      const port = await servers.serve(servers.tcp((socket) => socket.end('hello, who is there?')));
      const error = await refusal({ transport: 'tls', host: '127.0.0.1', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.match(error.message, /wrong version number|packet length|SSL/i);
    });

    it('when the server ends the connection', async () => {
      const port = await servers.serve(servers.tcp((socket) => socket.destroy()));
      const error = await refusal({ transport: 'tls', host: '127.0.0.1', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.match(error.message, /before secure TLS connection|ECONNRESET/);
    });

    it('with what the server answered when it is no 101', async () => {
      const server = http.createServer((_request, response) => response.writeHead(404).end('not here'));
      const port = await servers.serve(server);
      const error = await refusal({ transport: 'ws', host: '127.0.0.1', port });
      assert.equal(error.code, 'IOTMP_ERR_CONNECT');
      assert.equal(
        error.message,
        `cannot connect to ws://127.0.0.1:${port}/iotmp: the server has no WebSocket at this path (HTTP status 404)`,
      );
    });

    it('at a redirection, which it does not follow', async () => {
      const server = http.createServer((_request, response) =>
        response.writeHead(302, { location: 'ws://127.0.0.1:1/' }).end(),
      );
      const error = await refusal({ transport: 'ws', host: '127.0.0.1', port: await servers.serve(server) });
      assert.match(error.message, /\(HTTP status 302\)$/);
    });

    it('when the answer is no HTTP, or the connection ends instead', async () => {
      for (const use of [
        (socket: Socket) => socket.end('SSH-2.0-OpenSSH\r\n'),
        (socket: Socket) => socket.once('data', () => socket.end()),
        (socket: Socket) => socket.once('data', () => socket.resetAndDestroy()),
      ]) {
        const error = await refusal({
          transport: 'ws',
          host: '127.0.0.1',
          port: await servers.serve(servers.tcp(use)),
        });
        assert.equal(error.code, 'IOTMP_ERR_CONNECT');
        assert.ok(error.cause instanceof Error);
      }
    });
  });
});
