import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';

describe('second connection of a device', () => {
  it('wins; the older one gets DISCONNECT and is closed, in the order of the events', async () => {
    const bench = await BrokerBench.start();
    const older = await bench.device();
    const newer = await bench.device();
    assert.equal((await older.next()).bytes.toString('hex'), '0400');
    await older.closed;
    assert.deepEqual(bench.log, [
      'connected anna/pump',
      'disconnected anna/pump: IOTMP_ERR_CLOSED',
      'connected anna/pump',
    ]);
    newer.resources.set('level', { fn: 3, run: () => 5 });
    assert.equal((await bench.server.call(PUMP, 'level')).payload, 5);
    assert.equal(bench.server.deviceCount, 1);
  });

  it('gets its OK before anything else', async () => {
    const bench = await BrokerBench.start();
    bench.server.subscribe(PUMP, 'level', { intervalMs: 1000, onSample: () => undefined });
    const device = new RawDevice(bench.memory());
    device.connect();
    assert.equal((await device.next()).type, Type.OK);
    assert.equal((await device.next()).type, Type.START_STREAM);
  });

  it('takes over only once it is let in', async () => {
    const bench = await BrokerBench.start();
    const older = await bench.device();
    const intruder = new RawDevice(bench.memory(), { credential: 'guess' });
    intruder.connect();
    await intruder.closed;
    await older.barrier();
    assert.equal(older.ended, false);
    assert.deepEqual(bench.log, ['connected anna/pump']);
  });

  it('rejects the calls that wait for the older one', async () => {
    const bench = await BrokerBench.start();
    const older = await bench.device();
    older.serves = false;
    const call = bench.server.call(PUMP, 'level', { payload: 1 });
    const rejected = assert.rejects(call, { code: 'IOTMP_ERR_CLOSED', message: /taken over/ });
    await older.next(Type.RUN);
    await bench.device();
    await rejected;
  });

  it('takes the streams over: same subscribers, new stream, another id', async () => {
    const bench = await BrokerBench.start();
    const samples: unknown[] = [];
    const states: string[] = [];
    const older = await bench.device();
    older.resources.set('level', { fn: 3, run: () => 'old' });
    bench.server.subscribe(PUMP, 'level', {
      intervalMs: 1000,
      onSample: (sample) => samples.push(sample),
      onState: ({ kind }) => states.push(kind),
    });
    const first = await older.next(Type.START_STREAM);
    await bench.clock.settle();
    assert.deepEqual(samples, ['old']);

    const newer = new RawDevice(bench.memory());
    newer.resources.set('level', { fn: 3, run: () => 'new' });
    newer.connect();
    const second = await newer.next(Type.START_STREAM);
    await bench.clock.settle();
    assert.notEqual(second.id, first.id);
    assert.deepEqual(second.parameters, { interval: 1000 });
    assert.deepEqual(samples, ['old', 'new']);
    assert.deepEqual(states, ['streaming', 'offline', 'starting', 'streaming']);
    assert.deepEqual(older.all(Type.STOP_STREAM), []);
  });

  it('is not ended by the end of the older one, whenever that comes', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    const older = await bench.device({}, await bench.tcp());
    const newer = await bench.device({}, await bench.tcp());
    await older.serverEnded;
    older.wire.end();
    await older.closed;
    await newer.barrier();
    assert.equal(bench.server.deviceCount, 1);
    assert.equal(bench.log.filter((line) => line.includes('pump')).length, 3);
  });

  it('leaves other devices alone', async () => {
    const bench = await BrokerBench.start();
    const lamp = await bench.device(LAMP);
    await bench.device();
    await bench.device();
    await lamp.barrier();
    assert.equal(lamp.ended, false);
    assert.equal(bench.server.deviceCount, 2);
  });

  it('may come a hundred times: one connection is left', async () => {
    const bench = await BrokerBench.start();
    const devices: RawDevice[] = [];
    for (let i = 0; i < 100; i++) {
      const login = bench.device();
      await bench.clock.advance(1000);
      devices.push(await login);
    }
    await Promise.all(devices.slice(0, -1).map(({ closed }) => closed));
    assert.equal(bench.server.deviceCount, 1);
    assert.equal(bench.log.length, 199);
    await devices.at(-1)!.barrier();
  });

  it('leaves nothing half done when a listener closes the server on the way', async () => {
    const bench = await BrokerBench.start();
    const closed = Promise.withResolvers<undefined>();
    await bench.device();
    bench.server.once('disconnected', () => void bench.server.close().then(() => closed.resolve(undefined)));
    bench.server.subscribe(PUMP, 'level', { intervalMs: 1000, onSample: () => undefined });
    const newer = new RawDevice(bench.memory());
    newer.connect();
    await newer.closed;
    await closed.promise;
    assert.deepEqual(bench.log, ['connected anna/pump', 'disconnected anna/pump: IOTMP_ERR_CLOSED']);
    assert.equal(bench.server.deviceCount, 0);
    assert.deepEqual(newer.all(Type.START_STREAM), []);
  });
});

describe('two devices with one id', () => {
  /** Connections of one device, each of which takes the place of the one before. */
  async function takeOver(bench: BrokerBench, times: number, pauseMs: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const login = bench.device();
      await bench.clock.advance(pauseMs);
      await login;
    }
  }

  const WARNING =
    'anna/pump: its connections take the place of each other again and again, from memory. ' +
    'Two devices seem to use this id, or one restarts all the time';

  it('are suspected in one warning, however long they go on', async () => {
    const bench = await BrokerBench.start();
    await takeOver(bench, 30, 20_000);
    assert.deepEqual(bench.warnings, [WARNING]);
    assert.equal(bench.server.takeOvers, 29);
  });

  it('are suspected again after they were quiet', async () => {
    const bench = await BrokerBench.start();
    await takeOver(bench, 10, 1000);
    await bench.clock.advance(400_000);
    await takeOver(bench, 10, 1000);
    assert.deepEqual(bench.warnings, [WARNING, WARNING]);
  });

  it('are not suspected where one loses its connection now and then', async () => {
    const bench = await BrokerBench.start();
    await takeOver(bench, 20, 120_000);
    for (let i = 0; i < 3; i++) await bench.device(LAMP);
    assert.deepEqual(bench.warnings, []);
  });

  it('are answered at once up to the third take-over within 10 s, and after 1 s from then on', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 4; i++) await bench.device();
    assert.equal(bench.server.takeOvers, 3);
    const device = new RawDevice(bench.memory());
    device.connect();
    await bench.clock.advance(999);
    assert.deepEqual([device.all(Type.OK).length, bench.server.takeOvers], [0, 3]);
    await bench.clock.advance(1);
    assert.deepEqual([device.all(Type.OK).length, bench.server.takeOvers], [1, 4]);
  });

  it('are refused after the wait when they may not connect any more', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 4; i++) await bench.device();
    const device = new RawDevice(bench.memory());
    device.connect();
    await bench.clock.advance(500);
    await bench.server.configure(bench.options({ devices: [LAMP] }));
    await bench.clock.advance(500);
    await device.closed;
    assert.deepEqual([device.all(Type.OK), device.all(Type.ERROR).length], [[], 1]);
    assert.deepEqual(
      bench.refusedLogins.map(({ reason }) => reason),
      ['credentials'],
    );
    assert.equal(bench.server.deviceCount, 0);
  });

  it('are answered at once again when the third take-over was 10 s ago', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 4; i++) await bench.device();
    await bench.clock.advance(10_000);
    await bench.device();
    assert.equal(bench.server.takeOvers, 4);
  });

  it('slow down no other device, and no login that is refused', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 4; i++) await bench.device();
    await bench.device(LAMP);
    const intruder = new RawDevice(bench.memory(), { credential: 'guess' });
    intruder.connect();
    await intruder.closed;
  });
});
