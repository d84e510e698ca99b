import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { tcpWire, tlsWire } from '../support/raw-wire';

const LISTENERS = {
  host: '127.0.0.1',
  tcpPort: 0,
  tlsPort: 0,
  tls: { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE },
};

/** Sockets and servers that keep this process alive. */
function openResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|TLS|Server|Timeout/.test(name))
    .sort();
}

async function connected(): Promise<{ bench: BrokerBench; devices: RawDevice[] }> {
  const bench = await BrokerBench.start(LISTENERS);
  const pump = await bench.device({}, await bench.tcp());
  const lamp = await bench.device(LAMP, bench.track(await tlsWire(bench.port('tls'))));
  return { bench, devices: [pump, lamp] };
}

describe('close', () => {
  it('says goodbye to every device, and resolves when all connections are gone', async () => {
    const { bench, devices } = await connected();
    const idle = new RawDevice(await bench.tcp());
    for (const device of [...devices, idle]) void device.serverEnded.then(() => device.wire.end());
    await bench.server.close();
    for (const device of devices) assert.equal(device.received.at(-1)?.type, Type.DISCONNECT);
    assert.deepEqual(idle.received, []);
    assert.equal(bench.server.deviceCount, 0);
    assert.equal(bench.server.running, false);
    assert.equal(bench.server.listenerStatus.size, 0);
    assert.equal(bench.clock.pending, 0);
    assert.deepEqual(bench.log.filter((line) => line.startsWith('disconnected')).sort(), [
      'disconnected anna/lamp: IOTMP_ERR_CLOSED',
      'disconnected anna/pump: IOTMP_ERR_CLOSED',
    ]);
  });

  it('does not wait for ever for a device that ignores it', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const linux = await bench.device({ dialect: 'linux' }, await bench.tcp());
    const closing = bench.server.close();
    await linux.serverEnded;
    assert.equal(linux.all(Type.DISCONNECT).length, 1);
    await bench.clock.advance(2_000);
    await closing;
    await assert.rejects(tcpWire(1));
  });

  it('rejects what is pending', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    const call = assert.rejects(bench.server.call(PUMP, 'level', { payload: 1 }), {
      code: 'IOTMP_ERR_CLOSED',
      message: 'the server was stopped',
    });
    await device.next(Type.RUN);
    await bench.server.close();
    await call;
  });

  it('tells subscribers that the device is offline, and keeps their subscriptions for the next start', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('level', { fn: 3, run: () => 'first' });
    const samples: unknown[] = [];
    const subscription = bench.server.subscribe(PUMP, 'level', {
      intervalMs: 1000,
      onSample: (sample) => samples.push(sample),
    });
    await device.next(Type.START_STREAM);
    await bench.clock.settle();
    assert.equal(subscription.state.kind, 'streaming');
    await bench.server.close();
    assert.equal(subscription.state.kind, 'offline');
    assert.equal(bench.clock.pending, 0);
    await bench.server.start();
    const again = new RawDevice(bench.memory());
    again.resources.set('level', { fn: 3, run: () => 'again' });
    again.connect();
    await again.next(Type.START_STREAM);
    await bench.clock.settle();
    assert.deepEqual(samples, ['first', 'again']);
  });

  it('may be called twice, at once or later', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    await bench.device();
    await Promise.all([bench.server.close(), bench.server.close()]);
    await bench.server.close();
    assert.equal(bench.log.filter((line) => line === 'listener tcp closed').length, 1);
  });

  it('right after a start that followed a close ends all of it', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const device = await bench.device({}, await bench.tcp());
    void device.serverEnded.then(() => device.wire.end());
    const port = bench.port();
    const { server } = bench;
    // The connection of the device takes a moment to go.
    const all = [server.close(), server.start()];
    await Promise.resolve();
    all.push(server.close());
    await Promise.all(all);
    assert.equal(server.running, false);
    assert.deepEqual([...server.listenerStatus], []);
    await assert.rejects(tcpWire(port));
  });

  it('and start in turns end as the last of them says', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const device = await bench.device({}, await bench.tcp());
    void device.serverEnded.then(() => device.wire.end());
    const { server } = bench;
    await Promise.all([server.close(), server.start(), server.close(), server.start()]);
    assert.equal(server.running, true);
    const again = await bench.device({}, await bench.tcp());
    assert.equal(again.ended, false);
    assert.equal(server.deviceCount, 1);
  });

  it('of a server that was never started is nothing', async () => {
    const bench = await BrokerBench.start();
    await bench.server.close();
    await bench.server.close();
    assert.deepEqual(bench.log, []);
  });

  it('turns away who comes while it closes, or later', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const stubborn = await bench.device({ dialect: 'linux' }, await bench.tcp());
    const closing = bench.server.close();
    await new RawDevice(bench.memory()).closed;
    await stubborn.serverEnded;
    await bench.clock.advance(2_000);
    await closing;
    const late = new RawDevice(bench.memory());
    late.connect();
    await late.closed;
    assert.equal(bench.server.deviceCount, 0);
    assert.deepEqual(bench.warnings, []);
  });
});

describe('start', () => {
  it('after close opens everything again', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    for (let i = 0; i < 3; i++) {
      await bench.server.close();
      await bench.server.start();
      const device = await bench.device({}, await bench.tcp());
      await device.barrier();
      device.wire.cut();
      await device.closed;
    }
  });

  it('during close waits for it, on the same port', async () => {
    const { port } = await freePort();
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: port });
    const closing = bench.server.close();
    await Promise.all([closing, bench.server.start()]);
    assert.equal(bench.port(), port);
    await (await bench.device({}, await bench.tcp())).barrier();
  });

  it('during close lets nobody in before all connections are gone', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const stubborn = await bench.device({ dialect: 'linux' }, await bench.tcp());
    const ends: string[] = [];
    const closing = bench.server.close().then(() => ends.push('closed'));
    const starting = bench.server.start().then(() => ends.push('started'));
    await new RawDevice(bench.memory()).closed;
    await stubborn.serverEnded;
    await bench.clock.advance(2_000);
    await Promise.all([closing, starting]);
    assert.deepEqual(ends, ['closed', 'started']);
    await (await bench.device()).barrier();
  });

  it('that is overtaken by close opens nothing', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const starting = bench.server.close().then(() => bench.server.start());
    const again = bench.server.start();
    await bench.server.close();
    await Promise.all([starting, again]);
    await bench.server.close();
    assert.equal(bench.server.listenerStatus.size, 0);
    assert.equal(bench.server.running, false);
  });

  it('twice opens each listener once', async () => {
    const bench = await BrokerBench.start(LISTENERS);
    const port = bench.port();
    await Promise.all([bench.server.start(), bench.server.start()]);
    assert.equal(bench.port(), port);
    assert.equal(bench.log.filter((line) => line === 'listener tcp listening').length, 1);
  });
});

describe('start and close', () => {
  it('leave nothing behind: no socket, no server, no timer, no listener of an event', async () => {
    const before = openResources();
    const bench = await BrokerBench.start(LISTENERS);
    const listeners = bench.server.eventNames().map((name) => bench.server.listenerCount(name));
    for (let i = 0; i < 5; i++) {
      const wires = [await bench.tcp(), bench.track(await tlsWire(bench.port('tls')))];
      const pump = await bench.device({}, wires[0]);
      const lamp = await bench.device(LAMP, wires[1]);
      const idle = new RawDevice(await bench.tcp());
      for (const device of [pump, lamp, idle]) void device.serverEnded.then(() => device.wire.end());
      await bench.server.close();
      await Promise.all([pump.closed, lamp.closed, idle.closed]);
      assert.equal(bench.clock.pending, 0);
      await bench.server.start();
    }
    await bench.server.close();
    // The system tells of a closed handle at the end of the next turn.
    for (let turn = 0; turn < 3; turn++) await bench.clock.settle();
    assert.deepEqual(openResources(), before);
    assert.deepEqual(
      bench.server.eventNames().map((name) => bench.server.listenerCount(name)),
      listeners,
    );
  });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<{ port: number }> {
  const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
  const port = bench.port();
  await bench.server.close();
  return { port };
}
