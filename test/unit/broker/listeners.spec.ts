import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, it } from 'mocha';
import type { ListenerStatus } from '../../../src/broker/listener';
import { cleanUp } from '../../support/clean-up';
import { fakes } from '../../support/fakes';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import {
  CHAIN_CERTIFICATE,
  EXPIRED_CERTIFICATE,
  TEST_ONLY_CERTIFICATE,
  TEST_ONLY_KEY,
} from '../support/certificate';
import { RawDevice } from '../support/raw-device';
import { hex, Type } from '../support/raw-message';
import { tcpWire, tlsWire, WebSocketWire } from '../support/raw-wire';

const TLS = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
const HERE = { host: '127.0.0.1' };

/** A port that somebody else has. */
async function takenPort(): Promise<{ port: number; free: () => Promise<void> }> {
  const holder = net.createServer();
  holder.listen(0, HERE.host);
  await once(holder, 'listening');
  const { port } = holder.address() as net.AddressInfo;
  const free = async (): Promise<void> => {
    if (!holder.listening) return;
    holder.close();
    await once(holder, 'close');
  };
  cleanUp(free);
  return { port, free };
}

/** Resolves with the next status of this kind. */
function statusOf(bench: BrokerBench, wanted: ListenerStatus['kind']): Promise<ListenerStatus> {
  return new Promise((resolve) => {
    const listen = (_: string, status: ListenerStatus): void => {
      if (status.kind !== wanted) return;
      bench.server.off('listener', listen);
      resolve(status);
    };
    bench.server.on('listener', listen);
  });
}

/** Moves the time on until the next attempt to listen has failed. Resolves with the time that took, in ms. */
async function failsAgain(bench: BrokerBench, create: { readonly callCount: number }): Promise<number> {
  const { pending } = bench.clock;
  const attempts = create.callCount;
  const from = bench.clock.now();
  await bench.advanceUntil(() => create.callCount > attempts, 100);
  const took = bench.clock.now() - from;
  await bench.until(() => bench.clock.pending === pending);
  return took;
}

async function serves(bench: BrokerBench, device: RawDevice): Promise<void> {
  device.resources.set('level', { fn: 3, run: () => 42 });
  const { user, device: name } = device.options;
  const reply = await bench.server.call({ user, device: name }, 'level');
  assert.equal(reply.payload, 42);
}

describe('listeners', () => {
  it('take devices over TCP', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    assert.deepEqual(bench.log, ['listener tcp opening', 'listener tcp listening']);
    assert.match(
      JSON.stringify([...bench.server.listenerStatus]),
      /^\[\["tcp",\{"kind":"listening","address":"127\.0\.0\.1:\d+","port":\d+\}\]\]$/,
    );
    const device = await bench.device({}, await bench.tcp());
    await serves(bench, device);
    assert.equal(bench.server.device(PUMP)?.transport, 'tcp');
  });

  it('take devices over TLS, also 1.2 with a server name that is an address', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: TLS });
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const wire = await tlsWire(bench.port('tls'), { minVersion: version, maxVersion: version });
      const device = await bench.device({}, bench.track(wire));
      await serves(bench, device);
      assert.equal(bench.server.device(PUMP)?.transport, 'tls');
    }
  });

  it('take devices over WebSocket through the upgrade of an HTTP server', async () => {
    const bench = await BrokerBench.start();
    const wire = await bench.webSocket();
    assert.match(wire.answer, /^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Protocol: iotmp\r\n/s);
    const device = await bench.device({ dialect: 'linux' }, wire);
    await serves(bench, device);
    assert.equal(bench.server.device(PUMP)?.transport, 'ws');
  });

  it('take all three at once', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0, tlsPort: 0, tls: TLS });
    const first = await bench.device({}, await bench.tcp());
    const second = await bench.device(LAMP, bench.track(await tlsWire(bench.port('tls'))));
    const third = await bench.device({}, await bench.webSocket());
    await first.serverEnded;
    await serves(bench, second);
    await serves(bench, third);
  });

  it('are none without ports', async () => {
    const bench = await BrokerBench.start();
    assert.equal(bench.server.listenerStatus.size, 0);
    assert.equal(bench.server.running, true);
  });

  it('on every interface say so', async () => {
    const bench = await BrokerBench.start({ tcpPort: 0 });
    const status = bench.server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'listening');
    assert.match(status.address, /^(\[::\]|0\.0\.0\.0):\d+$/);
    await serves(bench, await bench.device({}, await bench.tcp()));
    assert.match(bench.server.device(PUMP)!.address, /^127\.0\.0\.1:\d+$/, 'not in mapped form');
  });
});

describe('listener that cannot be opened', () => {
  it('says that its port is in use, and is there once the port is free', async () => {
    const { port, free } = await takenPort();
    const bench = await BrokerBench.start({ ...HERE, tcpPort: port, tlsPort: 0, tls: TLS });
    const status = bench.server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'error');
    assert.equal(status.error.code, 'IOTMP_ERR_LISTEN');
    assert.equal(status.error.message, `cannot listen on 127.0.0.1:${port}: the port is in use`);
    await serves(bench, await bench.device({}, bench.track(await tlsWire(bench.port('tls')))));

    const create = fakes.spy(net, 'createServer');
    await failsAgain(bench, create);
    await free();
    const listening = statusOf(bench, 'listening');
    await bench.clock.advance(2_000);
    await listening;
    await serves(bench, await bench.device(LAMP, await bench.tcp()));
  });

  it('waits longer each time, up to half a minute', async () => {
    const { port } = await takenPort();
    const create = fakes.spy(net, 'createServer');
    const bench = await BrokerBench.start({ ...HERE, tcpPort: port });
    const gaps: number[] = [];
    for (let i = 0; i < 9; i++) gaps.push(await failsAgain(bench, create));
    assert.ok(gaps[0]! <= 1_100 && gaps[0]! >= 500, String(gaps));
    for (let i = 5; i < gaps.length; i++) assert.ok(gaps[i]! <= 30_100 && gaps[i]! >= 15_000, String(gaps));
    for (let i = 1; i < gaps.length; i++) assert.ok(gaps[i]! <= 1000 * 2 ** i + 100, String(gaps));
  });

  it('is an error for all that time, told once', async () => {
    const { port } = await takenPort();
    const create = fakes.spy(net, 'createServer');
    const bench = await BrokerBench.start({ ...HERE, tcpPort: port });
    for (let i = 0; i < 5; i++) {
      await failsAgain(bench, create);
      assert.equal(bench.server.listenerStatus.get('tcp')?.kind, 'error');
    }
    assert.deepEqual(bench.log, ['listener tcp opening', 'listener tcp error']);
  });

  it('is given up when the server closes', async () => {
    const { port, free } = await takenPort();
    const bench = await BrokerBench.start({ ...HERE, tcpPort: port });
    await bench.server.close();
    assert.equal(bench.clock.pending, 0);
    await free();
    await bench.clock.advance(60_000);
    await assert.rejects(tcpWire(port));
    assert.equal(bench.log.at(-1), 'listener tcp closed');
  });

  it('says what is wrong with its address', async () => {
    const bench = await BrokerBench.start({ host: '192.0.2.1', tcpPort: 0 });
    const status = bench.server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'error');
    assert.equal(
      status.error.message,
      'cannot listen on 192.0.2.1:0: this machine does not have the address',
    );
  });

  it('says what is wrong with its certificate, while the others work', async () => {
    const broken: [Record<string, unknown> | undefined, RegExp][] = [
      [undefined, /TLS needs a key and a certificate/],
      [{}, /TLS needs a key and a certificate/],
      [{ key: TEST_ONLY_KEY, cert: 'no certificate' }, /the certificate is no certificate in PEM form$/],
      [{ key: 'no key', cert: TEST_ONLY_CERTIFICATE }, /the private key is no key in PEM form$/],
      [{ cert: TEST_ONLY_CERTIFICATE, pfx: Buffer.from('x') }, /cannot listen on 127\.0\.0\.1:0: ./],
    ];
    for (const [tls, message] of broken) {
      const bench = await BrokerBench.start({ ...HERE, tcpPort: 0, tlsPort: 0, tls });
      const status = bench.server.listenerStatus.get('tls');
      assert.equal(status?.kind, 'error');
      assert.equal(status.error.code, 'IOTMP_ERR_LISTEN');
      assert.match(status.error.message, message);
      await serves(bench, await bench.device({}, await bench.tcp()));
    }
  });
});

describe('listener that fails later', () => {
  it('is opened again, once, however often it complains', async () => {
    const create = fakes.spy(net, 'createServer');
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    const device = await bench.device({}, await bench.tcp());
    const server = create.firstCall.returnValue;
    for (let i = 0; i < 3; i++) server.emit('error', Object.assign(new Error('accept'), { code: 'EMFILE' }));
    const status = bench.server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'error');
    assert.match(status.error.message, /: this program has too many files open$/);
    const listening = statusOf(bench, 'listening');
    await bench.clock.advance(1_000);
    await listening;
    assert.equal(create.callCount, 2);
    server.emit('error', new Error('late'));
    assert.equal(bench.server.listenerStatus.get('tcp')?.kind, 'listening');
    await serves(bench, device);
    await serves(bench, await bench.device(LAMP, await bench.tcp()));
  });
});

describe('the certificate of a TLS listener', () => {
  const subjectOf = (bench: BrokerBench): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ port: bench.port('tls'), ...HERE, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().valid_to);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const expired = { ...TLS, cert: EXPIRED_CERTIFICATE };

  it('that has expired is a warning of the server, and its end is in the status', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: expired });
    const warning = 'the certificate of the TLS port expired on 2021-01-01: renew it, as clients refuse it';
    assert.deepEqual(bench.warnings, [warning]);
    const status = bench.server.listenerStatus.get('tls');
    assert.equal(status?.kind === 'listening' && status.expires, Date.parse('2021-01-01'));
    await bench.clock.advance(12 * 3_600_000);
    assert.deepEqual(bench.warnings, [warning, warning], 'the log leaves out what it has told');
  });

  it('may be another for those who come later: the port stays open, and so do connections', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: expired });
    const device = await bench.device({}, bench.track(await tlsWire(bench.port('tls'))));
    const events = bench.log.length;
    assert.match(await subjectOf(bench), / 2021 /);
    bench.server.renewTls(TLS);
    assert.match(await subjectOf(bench), / 2120 /);
    await serves(bench, device);
    assert.equal(bench.log.length, events);
    const status = bench.server.listenerStatus.get('tls');
    assert.equal(status?.kind === 'listening' && status.expires, Date.parse('2120-01-01'));
    await bench.server.configure(bench.options({ ...HERE, tlsPort: 0, tls: TLS }));
    assert.equal(bench.log.length, events, 'the renewed certificate is no change');
  });

  it('stays when the other one cannot be used', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: TLS });
    assert.throws(() => bench.server.renewTls({ ...TLS, cert: CHAIN_CERTIFICATE }), {
      code: 'IOTMP_ERR_LISTEN',
      message: /certificate and private key do not belong together$/,
    });
    assert.match(await subjectOf(bench), / 2120 /);
  });

  it('opens a port that could not be opened without it, at once', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: { ...TLS, key: 'none' } });
    const listening = statusOf(bench, 'listening');
    bench.server.renewTls(TLS);
    await listening;
    await serves(bench, await bench.device({}, bench.track(await tlsWire(bench.port('tls')))));
  });
});

describe('TLS listener', () => {
  it('tells of handshakes that fail, but not of thousands', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: TLS });
    for (let i = 0; i < 30; i++) {
      const plain = new RawDevice(bench.track(await tcpWire(bench.port('tls'))));
      plain.connect();
      await plain.serverEnded;
      plain.wire.cut();
    }
    const line = 'refused login: reason=plain address=127.0.0.1 transport=tls user="" device="" left_out=0';
    assert.deepEqual(bench.refusalLines, [line]);
    assert.equal(bench.server.refusedLogins.counts.get('plain'), 30);
    assert.equal(bench.server.refusedLogins.last?.text, 'the other end does not speak TLS');
    await serves(bench, await bench.device({}, bench.track(await tlsWire(bench.port('tls')))));
  });

  it('cuts handshakes that are under way when it closes', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls: TLS });
    const half = net.connect(bench.port('tls'), HERE.host);
    cleanUp(() => half.destroy());
    half.on('error', () => undefined);
    await once(half, 'connect');
    half.write(hex('16 03 01 00 ff 01'));
    // A second connection is served: so the first one has been accepted.
    await serves(bench, await bench.device({}, bench.track(await tlsWire(bench.port('tls')))));
    const ended = once(half, 'close');
    half.resume();
    await bench.server.close();
    await ended;
  });

  it('lives on where it is asked for in plain: a TLS client on the TCP port is turned away', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    await assert.rejects(tlsWire(bench.port()));
    await bench.clock.settle();
    assert.deepEqual(
      bench.refusedLogins.map(({ reason }) => reason),
      ['tls'],
    );
    await serves(bench, await bench.device({}, await bench.tcp()));
  });
});

describe('WebSocket upgrade', () => {
  it('is refused before the server runs and after it was closed', async () => {
    const bench = await BrokerBench.start();
    const port = await bench.listenHttp();
    await bench.server.close();
    await assert.rejects(WebSocketWire.connect(port), /no answer/);
    await bench.server.start();
    await serves(bench, await bench.device({}, bench.track(await WebSocketWire.connect(port))));
  });

  it('that is none is answered, and harms nobody', async () => {
    const bench = await BrokerBench.start();
    const port = await bench.listenHttp();
    const socket = net.connect(port, HERE.host);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write('GET /iotmp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: mqtt\r\n\r\n');
    await once(socket, 'close');
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 4\d\d /);
    const { reason, transport, address = '' } = bench.server.refusedLogins.last ?? {};
    assert.deepEqual([reason, transport], ['handshake', 'ws']);
    assert.match(address, /^127\.0\.0\.1:\d+$/);
    await serves(bench, await bench.device({}, bench.track(await WebSocketWire.connect(port))));
  });

  it('brings a device that is pinged each 30 s, so that no proxy takes it for idle', async () => {
    const PING = 9;
    const bench = await BrokerBench.start();
    const wire = bench.track(await WebSocketWire.connect(await bench.listenHttp()));
    await bench.device({}, wire);
    const pings = (): number => wire.frames.filter(({ opcode }) => opcode === PING).length;
    await bench.clock.advance(29_999);
    await bench.clock.settle();
    assert.equal(pings(), 0);
    await bench.clock.advance(1);
    await bench.until(() => pings() === 1);
    await bench.clock.advance(30_000);
    await bench.until(() => pings() === 2);
    wire.cut();
    await bench.until(() => bench.server.deviceCount === 0);
  });

  it('brings a device whose first frame came with the handshake', async () => {
    const bench = await BrokerBench.start();
    const wire = bench.track(await WebSocketWire.connect(await bench.listenHttp()));
    const device = new RawDevice(wire);
    device.connect();
    assert.equal((await device.next()).type, Type.OK);
    assert.deepEqual(
      wire.frames.map(({ fin, opcode, masked }) => [fin, opcode, masked]),
      [[true, 2, false]],
    );
  });
});
