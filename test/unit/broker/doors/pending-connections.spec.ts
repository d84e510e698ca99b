import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { describe, it } from 'mocha';
import { cleanUp } from '../../../support/clean-up';
import { BrokerBench, LAMP } from '../../support/broker-fixture';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../../support/certificate';
import { RawDevice } from '../../support/raw-device';
import { hex, Type } from '../../support/raw-message';
import { tcpWire, tlsWire, WebSocketWire } from '../../support/raw-wire';

const TLS = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
const HERE = { host: '127.0.0.1' };
const FEW = { limits: { pendingConnections: 4, pendingPerAddress: 3 } };

/** A connection that does no more than it is told. */
async function idle(port: number, bytes?: Buffer): Promise<net.Socket> {
  const socket = net.connect(port, HERE.host);
  cleanUp(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

describe('connections before login', () => {
  it('are bounded for one address: what is past it is closed, recorded once and said once', async () => {
    const bench = await BrokerBench.start({ ...HERE, ...FEW, tcpPort: 0 });
    const device = await bench.device({}, await bench.tcp());
    const sockets: net.Socket[] = [];
    for (let i = 0; i < 5; i++) sockets.push(await idle(bench.port()));
    await bench.clock.settle();
    await bench.clock.advance(999);
    assert.equal(bench.server.refusedLogins.total, 0);
    const closed = sockets.slice(0, 2).map((socket) => once(socket, 'close'));
    await bench.clock.advance(1);
    await Promise.all(closed);
    assert.equal(bench.server.refusedLogins.total, 2);
    const { reason, text } = bench.server.refusedLogins.last!;
    assert.equal(reason, 'crowded');
    assert.equal(text, 'gave way before its login: 4 connections of this address wait for their login');
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=crowded address=127.0.0.1 transport=tcp user="" device="" left_out=0',
    ]);
    assert.ok(sockets.slice(2).every((socket) => !socket.closed));
    await device.barrier();
  });

  it('of which some wait for the answer to their login are closed, too, and recorded once', async () => {
    const verdict = Promise.withResolvers<undefined>();
    const bench = await BrokerBench.start({
      ...FEW,
      authenticator: { authenticate: ({ device }) => (device === LAMP.device ? undefined : verdict.promise) },
    });
    const devices = Array.from({ length: 5 }, (_, i) => new RawDevice(bench.memory(), { device: `d${i}` }));
    for (const device of devices) device.connect();
    await bench.clock.advance(1_000);
    await devices[1]!.closed;
    assert.deepEqual(
      bench.refusedLogins.map(({ reason, device }) => [reason, device]),
      [
        ['crowded', 'd0'],
        ['crowded', 'd1'],
      ],
    );
    await bench.device(LAMP);
    verdict.resolve(undefined);
    for (const device of devices.slice(2)) assert.equal((await device.next()).type, Type.OK);
    assert.equal(bench.server.deviceCount, 4);
    assert.equal(bench.refusedLogins.length, 2);
  });

  it('do not count once they are logged in: all devices of one address stay', async () => {
    const bench = await BrokerBench.start({ ...FEW, authenticator: { authenticate: () => undefined } });
    for (let i = 0; i < 20; i++) await bench.device({ device: `d${i}` });
    await bench.clock.advance(5_000);
    assert.equal(bench.server.deviceCount, 20);
  });

  it('are not cut in a burst: 1,000 of one address that log in within a second all get in', async () => {
    const bench = await BrokerBench.start({
      ...HERE,
      tcpPort: 0,
      authenticator: { authenticate: () => undefined },
    });
    const wires = await Promise.all(Array.from({ length: 1_000 }, () => bench.tcp()));
    await bench.clock.advance(999);
    const devices = wires.map((wire, i) => new RawDevice(wire, { device: `d${i}` }));
    // In groups, as the machine may be slow; the clock of the server stands still meanwhile.
    for (let sent = 0; sent < devices.length; sent += 50) {
      for (const device of devices.slice(sent, sent + 50)) device.connect();
      await bench.until(() => bench.server.deviceCount === sent + 50);
    }
    await bench.clock.advance(5_000);
    assert.equal(bench.server.deviceCount, 1_000);
    assert.equal(bench.server.refusedLogins.total, 0);
    assert.ok(devices.every(({ ended }) => !ended));
  });

  it('are handshakes of TLS, too, those that send nothing first', async () => {
    const bench = await BrokerBench.start({ ...HERE, ...FEW, tlsPort: 0, tls: TLS });
    const beginning = hex('16 03 01 02 00 01');
    const sockets: net.Socket[] = [];
    for (let i = 0; i < 5; i++) sockets.push(await idle(bench.port('tls'), i === 0 ? beginning : undefined));
    await bench.device({}, bench.track(await tlsWire(bench.port('tls'))));
    const closed = [once(sockets[1]!, 'close'), once(sockets[2]!, 'close')];
    await bench.clock.advance(1_000);
    await Promise.all(closed);
    assert.deepEqual(
      bench.refusedLogins.map(({ reason, transport }) => [reason, transport]),
      [
        ['crowded', 'tls'],
        ['crowded', 'tls'],
      ],
    );
    assert.ok(!sockets[0]!.closed);
  });

  it('are WebSockets, too', async () => {
    const bench = await BrokerBench.start(FEW);
    const port = await bench.listenHttp();
    const first = new RawDevice(bench.track(await WebSocketWire.connect(port)));
    for (let i = 0; i < 3; i++) bench.track(await WebSocketWire.connect(port));
    await bench.clock.advance(1_000);
    await first.closed;
    assert.deepEqual(
      bench.refusedLogins.map(({ reason, transport }) => [reason, transport]),
      [['crowded', 'ws']],
    );
  });
});

describe('a WebSocket', () => {
  it('has 10 s from its upgrade for CONNECT', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.track(await WebSocketWire.connect(await bench.listenHttp())));
    await bench.clock.advance(9_999);
    assert.equal(device.ended, false);
    await bench.clock.advance(1);
    await device.closed;
    assert.equal(bench.server.refusedLogins.last?.reason, 'timeout');
  });
});

describe('a server that is full of connections before login', () => {
  it('lets in devices over TCP, TLS and WebSocket, and keeps those that it has', async () => {
    const limits = { pendingConnections: 100, pendingPerAddress: 100 };
    const bench = await BrokerBench.start({
      ...HERE,
      tcpPort: 0,
      tlsPort: 0,
      tls: TLS,
      maxConnections: 4,
      limits,
    });
    const http = await bench.listenHttp();
    const pump = await bench.device({}, await bench.tcp());
    for (const wire of [
      () => tcpWire(bench.port()),
      () => tlsWire(bench.port('tls')),
      () => WebSocketWire.connect(http),
    ]) {
      for (let i = 0; i < 5; i++) await idle(bench.port(i % 2 === 0 ? 'tcp' : 'tls'));
      const lamp = await bench.device(LAMP, bench.track(await wire()));
      await lamp.barrier();
      lamp.wire.cut();
      await bench.until(() => bench.server.deviceCount === 1);
    }
    await pump.barrier();
    assert.equal(bench.server.refusedLogins.counts.get('full'), undefined);
  });

  it('whose places all belong to handshakes lets in a client of TLS', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: TLS, maxConnections: 3 });
    for (let i = 0; i < 3; i++) await idle(bench.port('tls'));
    const client = tls.connect({ port: bench.port('tls'), ...HERE, rejectUnauthorized: false });
    cleanUp(() => client.destroy());
    await once(client, 'secureConnect');
  });
});
