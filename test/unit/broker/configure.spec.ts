import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { tcpWire, tlsWire, WebSocketWire } from '../support/raw-wire';

const TLS = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
const HERE = { host: '127.0.0.1' };

async function stays(device: RawDevice): Promise<void> {
  await device.barrier();
  assert.equal(device.ended, false);
}

describe('configure: devices', () => {
  it('disconnects those that are no longer registered or whose credential is another, and no others', async () => {
    const third = { user: 'bob', device: 'door', credential: 'knock' };
    const bench = await BrokerBench.start({ devices: [PUMP, LAMP, third] });
    const pump = await bench.device();
    const lamp = await bench.device(LAMP);
    const door = await bench.device(third);
    await bench.server.configure(bench.options({ devices: [PUMP, { ...third, credential: 'ring' }] }));
    await Promise.all([lamp.closed, door.closed]);
    await stays(pump);
    for (const device of [lamp, door]) assert.equal(device.all(Type.DISCONNECT).length, 1);
    assert.deepEqual(bench.log.slice(3), [
      'disconnected anna/lamp: IOTMP_ERR_AUTH',
      'disconnected bob/door: IOTMP_ERR_AUTH',
    ]);
    const again = new RawDevice(bench.memory(), LAMP);
    again.connect();
    assert.equal((await again.next()).type, Type.ERROR);
    await bench.device({ ...third, credential: 'ring' });
  });

  it('lets new ones in at once', async () => {
    const bench = await BrokerBench.start({ devices: [PUMP] });
    const pump = await bench.device();
    await bench.server.configure(bench.options());
    await bench.device(LAMP);
    await stays(pump);
  });

  it('keeps all when the list is only in another order', async () => {
    const bench = await BrokerBench.start();
    const pump = await bench.device();
    const lamp = await bench.device(LAMP);
    await bench.server.configure(bench.options({ devices: [LAMP, PUMP] }));
    await stays(pump);
    await stays(lamp);
  });

  it('disconnects anonymous ones when they are not wanted any more', async () => {
    const bench = await BrokerBench.start({ anonymous: true });
    const guest = await bench.device({ user: 'guest', device: 'tablet' });
    const pump = await bench.device();
    await bench.server.configure(bench.options({ anonymous: true }));
    await stays(guest);
    await bench.server.configure(bench.options({ anonymous: false }));
    await guest.closed;
    await stays(pump);
  });

  it('keeps those of an authenticator that stays, and of one that goes nobody', async () => {
    const authenticator = { authenticate: () => undefined };
    const bench = await BrokerBench.start({ devices: [], authenticator });
    const device = await bench.device({ user: 'any', device: 'one' });
    await bench.server.configure(bench.options({ devices: [], authenticator, requestTimeoutMs: 500 }));
    await stays(device);
    await bench.server.configure(
      bench.options({ devices: [{ user: 'any', device: 'one', credential: 'x' }] }),
    );
    await device.closed;
    assert.equal(bench.server.deviceCount, 0);
  });

  it('gives those that come later the new time to answer, for streams too', async () => {
    const bench = await BrokerBench.start({ requestTimeoutMs: 20_000 });
    await bench.server.configure(bench.options({ requestTimeoutMs: 3000 }));
    const pump = await bench.device();
    pump.serves = false;
    const states: string[] = [];
    bench.server.subscribe(PUMP, 't', {
      intervalMs: 0,
      onSample: () => undefined,
      onState: (state) => states.push(state.kind === 'failed' ? state.error.code : state.kind),
    });
    await pump.next(Type.START_STREAM);
    await bench.clock.advance(2999);
    assert.ok(!states.includes('IOTMP_ERR_TIMEOUT'));
    await bench.clock.advance(1);
    assert.equal(states.at(-1), 'IOTMP_ERR_TIMEOUT');
  });

  it('takes nothing over when an option is unusable', async () => {
    const bench = await BrokerBench.start();
    const pump = await bench.device();
    const wrong = [
      bench.options({ devices: [LAMP, LAMP] }),
      bench.options({ devices: [LAMP], tcpPort: 70_000 }),
      bench.options({ devices: [LAMP], keepAliveS: 0 }),
    ];
    for (const options of wrong) {
      await assert.rejects(bench.server.configure(options), { code: 'IOTMP_ERR_CONFIG' });
    }
    await stays(pump);
    assert.deepEqual(bench.server.registered.length, 2);
    await bench.device(LAMP);
  });
});

describe('configure: listeners', () => {
  it('leaves what did not change', async () => {
    const options = { ...HERE, tcpPort: 0, tlsPort: 0, tls: TLS };
    const bench = await BrokerBench.start(options);
    const device = await bench.device({}, await bench.tcp());
    const events = bench.log.length;
    const ports = [bench.port('tcp'), bench.port('tls')];
    await bench.server.configure(bench.options({ ...options, tls: { ...TLS }, requestTimeoutMs: 500 }));
    assert.deepEqual([bench.port('tcp'), bench.port('tls')], ports);
    assert.equal(bench.log.length, events);
    await stays(device);
  });

  it('restarts the one that did; connections that are made live on', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0, tlsPort: 0, tls: TLS });
    const overTcp = await bench.device({}, await bench.tcp());
    const tlsWireHere = bench.track(await tlsWire(bench.port('tls')));
    const overTls = await bench.device(LAMP, tlsWireHere);
    const [tcpPort, tlsPort] = [bench.port('tcp'), bench.port('tls')];
    const events = bench.log.length;
    const tls = { ...TLS, minVersion: 'TLSv1.3' as const };
    await bench.server.configure(bench.options({ ...HERE, tcpPort: 0, tlsPort, tls }));
    assert.equal(bench.port('tcp'), tcpPort);
    assert.equal(bench.port('tls'), tlsPort);
    assert.deepEqual(bench.log.slice(events), [
      'listener tls closed',
      'listener tls opening',
      'listener tls listening',
    ]);
    await stays(overTcp);
    await stays(overTls);
    await assert.rejects(tlsWire(tlsPort, { maxVersion: 'TLSv1.2' }));
  });

  it('opens and closes them', async () => {
    const bench = await BrokerBench.start();
    await bench.server.configure(bench.options({ ...HERE, tcpPort: 0 }));
    const port = bench.port();
    const device = await bench.device({}, await bench.tcp());
    await bench.server.configure(bench.options(HERE));
    assert.equal(bench.server.listenerStatus.size, 0);
    await assert.rejects(tcpWire(port));
    await stays(device);
  });

  it('moves one to a port that another has just left', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    const port = bench.port();
    await bench.server.configure(bench.options({ ...HERE, tlsPort: port, tls: TLS }));
    await bench.device({}, bench.track(await tlsWire(port)));
  });

  it('repairs one that could not be opened', async () => {
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0 });
    assert.equal(bench.server.listenerStatus.get('tls')?.kind, 'error');
    await bench.server.configure(bench.options({ ...HERE, tlsPort: 0, tls: TLS }));
    await bench.device({}, bench.track(await tlsWire(bench.port('tls'))));
    assert.equal(bench.clock.pending > 0, true);
  });

  it('many times at once ends with the last, and leaves no other open', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    const ports = new Set([bench.port()]);
    bench.server.on('listener', (_, status) => {
      if (status.kind === 'listening') ports.add(status.port);
    });
    await Promise.all(
      [HERE, { host: 'localhost' }, HERE, {}, HERE].map((where, i) =>
        bench.server.configure(bench.options({ ...where, tcpPort: i % 2 === 0 ? 0 : undefined })),
      ),
    );
    const last = bench.port();
    for (const port of ports) {
      if (port === last) bench.track(await tcpWire(port)).cut();
      else await assert.rejects(tcpWire(port), `port ${port} is open still`);
    }
  });

  it('does nothing to a server that does not run', async () => {
    const bench = await BrokerBench.start();
    await bench.server.close();
    await bench.server.configure(bench.options({ ...HERE, tcpPort: 0 }));
    assert.equal(bench.server.listenerStatus.size, 0);
    await bench.server.start();
    assert.equal(bench.server.listenerStatus.get('tcp')?.kind, 'listening');
  });

  it('leaves WebSockets that are open, and takes new ones', async () => {
    const bench = await BrokerBench.start();
    const port = await bench.listenHttp();
    const first = await bench.device({}, bench.track(await WebSocketWire.connect(port)));
    await bench.server.configure(bench.options({ maxMessageSize: 4096 }));
    await bench.device(LAMP, bench.track(await WebSocketWire.connect(port)));
    await stays(first);
  });
});
