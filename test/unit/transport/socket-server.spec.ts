import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, it } from 'mocha';
import { openSocketServer, type SocketServer } from '../../../src/transport/socket-server';
import { cleanUp } from '../../support/clean-up';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';

const MAX_CONNECTIONS = 8;
/** The beginning of a TLS record that announces more than ever comes. */
const BEGINNING = Buffer.from('160301020001', 'hex');

interface Bench {
  readonly port: number;
  readonly warnings: string[];
  /** Resolves with the first connection that gets in. */
  readonly taken: Promise<unknown>;
}

async function openTls(handshakeTimeoutMs: number): Promise<Bench> {
  const warnings: string[] = [];
  const taken = Promise.withResolvers<unknown>();
  const tls = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
  const listener: SocketServer = await openSocketServer(
    { host: '127.0.0.1', port: 0, tls, maxConnections: MAX_CONNECTIONS, handshakeTimeoutMs },
    {
      onTransport(transport) {
        taken.resolve(transport);
        cleanUp(() => transport.destroy());
      },
      onWarning: (text) => warnings.push(text),
      onError: assert.ifError,
    },
  );
  cleanUp(() => listener.close());
  const { port } = listener.server.address() as AddressInfo;
  return { port, warnings, taken: taken.promise };
}

function idle(port: number, bytes?: Buffer): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  if (bytes !== undefined) socket.write(bytes);
  cleanUp(() => socket.destroy());
  return socket;
}

describe('A TLS port', () => {
  it('cuts connections that never begin or finish their handshake, and others get in then', async () => {
    const { port, warnings, taken } = await openTls(100);
    const sockets = Array.from({ length: MAX_CONNECTIONS }, (_, index) =>
      idle(port, index % 2 === 0 ? undefined : BEGINNING),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    assert.equal(warnings.length, MAX_CONNECTIONS);
    assert.match(warnings[0] ?? '', /^TLS handshake with 127\.0\.0\.1:\d+ failed: TLS handshake timeout$/);
    const client = connectTls({ port, host: '127.0.0.1', ca: TEST_ONLY_CERTIFICATE });
    cleanUp(() => client.destroy());
    await taken;
  });

  it('cuts a connection that speaks something else at once', async () => {
    const { port, warnings } = await openTls(10_000);
    await once(idle(port, Buffer.from('GET / HTTP/1.1\r\n\r\n')), 'close');
    assert.equal(warnings.length, 1);
  });
});
