import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { describe, it } from 'mocha';
import type { ConnectionRefusal } from '../../../src/transport/connection-refusal';
import { openSocketServer, type SocketServer } from '../../../src/transport/socket-server';
import type { WaitingPlace } from '../../../src/transport/waiting-place';
import { cleanUp } from '../../support/clean-up';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';

const MAX_CONNECTIONS = 8;
/** The beginning of a TLS record that announces more than ever comes. */
const BEGINNING = Buffer.from('160301020001', 'hex');

/** The place of a connection where there is always one. */
const anyPlace = (): WaitingPlace => ({ holder: undefined, letIn: () => undefined, leave: () => undefined });

interface Bench {
  readonly listener: SocketServer;
  readonly port: number;
  readonly refusals: ConnectionRefusal[];
  /** Resolves with the first connection that gets in. */
  readonly taken: Promise<unknown>;
}

async function openTls(handshakeTimeoutMs: number): Promise<Bench> {
  const refusals: ConnectionRefusal[] = [];
  const taken = Promise.withResolvers<unknown>();
  const tls = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
  const listener: SocketServer = await openSocketServer(
    { host: '127.0.0.1', port: 0, tls, handshakeTimeoutMs },
    {
      onArrival: anyPlace,
      onTransport(transport) {
        taken.resolve(transport);
        cleanUp(() => transport.destroy());
      },
      onRefused: (refusal) => refusals.push(refusal),
      onWarning: (text) => assert.fail(text),
      onError: assert.ifError,
    },
  );
  cleanUp(() => listener.close());
  const { port } = listener.server.address() as AddressInfo;
  return { listener, port, refusals, taken: taken.promise };
}

/** A client of TLS 1.2 whose handshake is done. */
async function openTls12(port: number): Promise<TLSSocket> {
  const options: ConnectionOptions = { port, host: '127.0.0.1', ca: TEST_ONLY_CERTIFICATE };
  const client = connectTls({ ...options, maxVersion: 'TLSv1.2' });
  client.on('error', () => undefined);
  cleanUp(() => client.destroy());
  await once(client, 'secureConnect');
  return client;
}

/** The error that the client gets when it asks for another handshake; null when that was done. */
function renegotiate(client: TLSSocket): Promise<Error | null> {
  return new Promise((resolve) => {
    client.once('error', resolve);
    client.renegotiate({}, resolve);
  });
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
    const { port, refusals, taken } = await openTls(100);
    const sockets = Array.from({ length: MAX_CONNECTIONS }, (_, index) =>
      idle(port, index % 2 === 0 ? undefined : BEGINNING),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    assert.equal(refusals.length, MAX_CONNECTIONS);
    for (const { reason, text, remoteAddress } of refusals) {
      assert.deepEqual([reason, text], ['timeout', 'the other end did not finish the TLS handshake in time']);
      assert.match(remoteAddress, /^127\.0\.0\.1:\d+$/);
    }
    const client = connectTls({ port, host: '127.0.0.1', ca: TEST_ONLY_CERTIFICATE });
    cleanUp(() => client.destroy());
    await taken;
  });

  for (const [what, bytes, reason, text] of [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'http', 'the other end speaks HTTP without TLS'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), 'plain', 'the other end does not speak TLS'],
    ['IoTMP', Buffer.from('031608011ae384616e6e618470756d7086736563726574', 'hex'), 'plain', undefined],
  ] as const) {
    it(`cuts a connection that speaks ${what} at once, and names what it speaks`, async () => {
      const { port, refusals } = await openTls(10_000);
      await once(idle(port, bytes), 'close');
      assert.equal(refusals.length, 1);
      assert.equal(refusals[0]?.reason, reason);
      if (text !== undefined) assert.equal(refusals[0].text, text);
    });
  }

  for (const [when, prepare] of [
    ['', () => undefined],
    [
      ' after its certificate was renewed',
      (listener: SocketServer) => listener.renew({ key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE }),
    ],
  ] as const) {
    it(`does no second handshake with a client of TLS 1.2${when}`, async () => {
      const { listener, port } = await openTls(10_000);
      prepare(listener);
      const client = await openTls12(port);
      assert.match(String(await renegotiate(client)), /no renegotiation/i);
    });
  }

  it('tells of a handshake that the other end leaves, but not of one that only looks for the port', async () => {
    const { port, refusals } = await openTls(10_000);
    const leaving = idle(port, BEGINNING);
    await once(leaving, 'connect');
    leaving.end();
    await once(leaving, 'close');
    const looking = idle(port);
    await once(looking, 'connect');
    looking.end();
    await once(looking, 'close');
    assert.deepEqual(
      refusals.map(({ text }) => text),
      ['the other end closed the connection in the TLS handshake'],
    );
  });
});

describe('A TCP port', () => {
  it('cuts a connection that its owner fails to take over, and warns', async () => {
    const warnings: string[] = [];
    const listener: SocketServer = await openSocketServer(
      { host: '127.0.0.1', port: 0 },
      {
        onArrival: anyPlace,
        onTransport: () => {
          throw new Error('no room');
        },
        onRefused: () => assert.fail('refused'),
        onWarning: (text) => warnings.push(text),
        onError: assert.ifError,
      },
    );
    cleanUp(() => listener.close());
    const { port } = listener.server.address() as AddressInfo;
    await once(idle(port), 'close');
    assert.deepEqual(warnings, ['no room']);
  });
});
