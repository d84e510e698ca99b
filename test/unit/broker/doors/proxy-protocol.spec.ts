import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { describe, it } from 'mocha';
import type { ServerOptions } from '../../../../src/broker/broker-options';
import { cleanUp } from '../../../support/clean-up';
import { BrokerBench, PUMP } from '../../support/broker-fixture';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../../support/certificate';
import { RawDevice } from '../../support/raw-device';
import { hex, message, psonField, Type, varintField } from '../../support/raw-message';
import type { RawWire } from '../../support/raw-wire';

const HERE = { host: '127.0.0.1' };
const BEHIND: ServerOptions = {
  ...HERE,
  tcpPort: 0,
  tlsPort: 0,
  tls: { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE },
  trustedProxies: ['127.0.0.1'],
};

const SIGNATURE = '0d0a0d0a 000d0a51 5549540a';
const VERSION_1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 49152 25204\r\n');
const VERSION_2 = hex(`${SIGNATURE} 21 11 0013 cb007107 c0000201 c000 6274 04 0004 00000000`);
const LOCAL = hex(`${SIGNATURE} 20 00 0000`);
const CLIENT = '203.0.113.7:49152';

/** A connection as a proxy makes it: over TLS, the header comes before the handshake. */
class ProxyWire implements RawWire {
  readonly socket: net.Socket;
  #secure: tls.TLSSocket | undefined;

  constructor(port: number) {
    this.socket = net.connect({ port, ...HERE, noDelay: true });
    cleanUp(() => this.socket.destroy());
    this.socket.on('error', () => undefined);
  }

  secure(): this {
    this.#secure = tls.connect({ socket: this.socket, rejectUnauthorized: false });
    this.#secure.on('error', () => undefined);
    return this;
  }

  start(handler: Parameters<RawWire['start']>[0]): void {
    const socket = this.#secure ?? this.socket;
    socket.on('data', (chunk: Buffer) => handler.onChunk(chunk));
    socket.on('end', () => handler.onEnd());
    socket.on('close', () => handler.onClose());
  }

  write(bytes: Buffer): void {
    (this.#secure ?? this.socket).write(bytes);
  }

  end(): void {
    (this.#secure ?? this.socket).end();
  }

  cut(): void {
    this.socket.destroy();
  }
}

async function wireTo(bench: BrokerBench, kind: 'tcp' | 'tls' = 'tcp'): Promise<ProxyWire> {
  const wire = bench.track(new ProxyWire(bench.port(kind)));
  await once(wire.socket, 'connect');
  return wire;
}

function connectOf(user: string, device: string, credential: string): Buffer {
  const fields = [varintField(1, 1), psonField(3, [user, device, credential])];
  return message(Type.CONNECT, ...fields);
}

describe('the PROXY protocol', () => {
  for (const [name, header] of [
    ['version 1', VERSION_1],
    ['version 2', VERSION_2],
  ] as const) {
    it(`names the client of a TCP connection: ${name}`, async () => {
      const bench = await BrokerBench.start(BEHIND);
      const wire = await wireTo(bench);
      wire.write(header);
      await bench.device({}, wire);
      assert.equal(bench.server.device(PUMP)?.address, CLIENT);
    });

    it(`names the client of a TLS connection: ${name}`, async () => {
      const bench = await BrokerBench.start(BEHIND);
      const wire = await wireTo(bench, 'tls');
      wire.write(header);
      await bench.device({}, wire.secure());
      assert.equal(bench.server.device(PUMP)?.address, CLIENT);
      assert.equal(bench.server.device(PUMP)?.transport, 'tls');
    });

    it(`may be cut anywhere, also behind the header: ${name}`, async () => {
      const bench = await BrokerBench.start({ ...BEHIND, authenticator: { authenticate: () => undefined } });
      const { length } = Buffer.concat([header, connectOf('anna', 'd000', 'secret')]);
      for (let at = 1; at < length; at++) {
        const id = { user: 'anna', device: `d${String(at).padStart(3, '0')}` };
        const whole = Buffer.concat([header, connectOf(id.user, id.device, 'secret')]);
        const wire = await wireTo(bench);
        const device = new RawDevice(wire);
        wire.write(whole.subarray(0, at));
        await new Promise((resolve) => setTimeout(resolve, 2));
        wire.write(whole.subarray(at));
        assert.equal((await device.next()).type, Type.OK, `cut at ${at}`);
        assert.equal(bench.server.device(id)?.address, CLIENT);
      }
    });

    it(`may come byte by byte: ${name}`, async () => {
      const bench = await BrokerBench.start(BEHIND);
      const wire = await wireTo(bench, 'tls');
      for (const byte of header) {
        wire.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await bench.device({}, wire.secure());
      assert.equal(bench.server.device(PUMP)?.address, CLIENT);
    });
  }

  it('leaves a connection its own address where the header names none', async () => {
    const bench = await BrokerBench.start(BEHIND);
    for (const header of [LOCAL, Buffer.from('PROXY UNKNOWN\r\n'), hex(`${SIGNATURE} 21 00 0000`)]) {
      const wire = await wireTo(bench);
      wire.write(header);
      await bench.device({}, wire);
      assert.match(bench.server.device(PUMP)?.address ?? '', /^127\.0\.0\.1:\d+$/);
    }
  });

  it('takes a header that comes in the same write as all else, also before TLS', async () => {
    const bench = await BrokerBench.start(BEHIND);
    const wire = await wireTo(bench, 'tls');
    wire.socket.cork();
    wire.write(VERSION_2);
    wire.secure();
    process.nextTick(() => wire.socket.uncork());
    await bench.device({}, wire);
    assert.equal(bench.server.device(PUMP)?.address, CLIENT);
  });

  it('is needed of a trusted proxy: a connection without a header is refused, with a reason', async () => {
    const bench = await BrokerBench.start(BEHIND);
    for (const bytes of [connectOf('anna', 'pump', 'secret'), Buffer.from('PROXY TCP4 x\r\n')]) {
      const wire = await wireTo(bench);
      const device = new RawDevice(wire);
      wire.write(bytes);
      await device.closed;
      assert.deepEqual(device.received, []);
      const { reason, text, address } = bench.server.refusedLogins.last!;
      assert.equal(reason, 'proxy');
      assert.match(text, /^the PROXY header is not usable: /);
      assert.match(address, /^127\.0\.0\.1:\d+$/);
    }
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=proxy address=127.0.0.1 transport=tcp user="" device="" left_out=0',
    ]);
  });

  it('has to come within the time for CONNECT', async () => {
    const bench = await BrokerBench.start(BEHIND);
    const wire = await wireTo(bench, 'tls');
    const closed = once(wire.socket, 'close');
    wire.socket.resume();
    wire.write(VERSION_2.subarray(0, 20));
    await bench.until(() => bench.clock.pending > 0);
    await bench.clock.advance(9_999);
    assert.equal(wire.socket.closed, false);
    await bench.clock.advance(1);
    await closed;
    const { reason, text } = bench.server.refusedLogins.last!;
    assert.deepEqual([reason, text], ['timeout', 'the PROXY header did not come in time']);
  });

  it('tells of a proxy that leaves in the middle of its header, but not of one that only looks for the port', async () => {
    const bench = await BrokerBench.start(BEHIND);
    const looking = await wireTo(bench);
    looking.end();
    looking.socket.resume();
    await once(looking.socket, 'close');
    const leaving = await wireTo(bench);
    leaving.write(VERSION_1.subarray(0, 20));
    leaving.end();
    leaving.socket.resume();
    await once(leaving.socket, 'close');
    await bench.until(() => bench.server.refusedLogins.total > 0);
    assert.deepEqual(
      bench.refusedLogins.map(({ reason, text }) => [reason, text]),
      [['proxy', 'the proxy closed the connection before the end of the PROXY header']],
    );
  });

  it('is a wrong first byte from anybody else', async () => {
    for (const options of [
      { trustedProxies: ['192.0.2.1'] },
      { trustedProxies: [] },
      { proxyProtocol: false },
    ]) {
      const bench = await BrokerBench.start({ ...BEHIND, ...options });
      for (const header of [VERSION_1, VERSION_2]) {
        const wire = await wireTo(bench);
        const device = new RawDevice(wire);
        wire.write(header);
        await device.closed;
        assert.equal(bench.server.refusedLogins.last?.reason, 'protocol');
      }
      await bench.device({}, await wireTo(bench));
      await bench.server.close();
    }
  });

  it('names the address that the bounds and the record of refused logins go by', async () => {
    const limits = { pendingConnections: 100, pendingPerAddress: 1 };
    const bench = await BrokerBench.start({ ...BEHIND, limits });
    const wires = await Promise.all([1, 2, 3].map(() => wireTo(bench)));
    for (const [index, wire] of wires.entries()) {
      wire.socket.resume();
      wire.write(Buffer.from(`PROXY TCP4 203.0.113.${index === 2 ? 8 : 7} 192.0.2.1 ${1000 + index} 1\r\n`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const closed = once(wires[0]!.socket, 'close');
    await bench.clock.advance(1_000);
    await closed;
    assert.equal(
      bench.refusalLines[0],
      'refused login: reason=crowded address=203.0.113.7 transport=tcp user="" device="" left_out=0',
    );
    assert.equal(bench.refusedLogins.length, 1);
  });

  it('leaves nothing behind when the server closes meanwhile', async () => {
    const bench = await BrokerBench.start(BEHIND);
    const wire = await wireTo(bench);
    const closed = new Promise((resolve) => wire.socket.once('close', resolve));
    wire.socket.resume();
    wire.write(VERSION_1.subarray(0, 3));
    await bench.until(() => bench.clock.pending > 0);
    await bench.server.close();
    await closed;
    assert.equal(bench.clock.pending, 0);
  });
});

describe('trusted proxies', () => {
  it('that are wrong are an error of the options', async () => {
    const bench = await BrokerBench.start();
    await assert.rejects(bench.server.configure(bench.options({ trustedProxies: ['my proxy'] })), {
      code: 'IOTMP_ERR_CONFIG',
      message: 'trustedProxies: "my proxy" is no address, and no network such as 10.0.0.0/8',
    });
  });
});
