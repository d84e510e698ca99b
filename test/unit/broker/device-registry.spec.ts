import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DeviceRegistry } from '../../../src/broker/device-registry';
import { defaultServerLimits } from '../../../src/broker/server-limits';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { message, Type } from '../support/raw-message';

function newRegistry(): DeviceRegistry {
  return new DeviceRegistry({ limits: () => defaultServerLimits, warn: (text) => assert.fail(text) });
}

/** Ids of the requests that a device got. */
function requestIds(device: RawDevice): number[] {
  return device.received.filter(({ type }) => type >= Type.RUN).map(({ id }) => id!);
}

describe('connected device', () => {
  it('is found by its name, with the address, the transport and the time of its connection', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    const before = Date.now();
    await bench.device({}, await bench.tcp());
    const device = bench.server.device(PUMP);
    assert.ok(device !== undefined);
    assert.match(device.address, /^127\.0\.0\.1:\d+$/);
    assert.equal(device.transport, 'tcp');
    assert.ok(device.since >= before && device.since <= Date.now());
    assert.deepEqual([...bench.server.devices], [device]);
    assert.equal(bench.server.device(LAMP), undefined);
    assert.equal(bench.server.device({ user: 'annap', device: 'ump' }), undefined);
  });

  it('counts its messages and bytes', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const connected = bench.server.device(PUMP)!;
    const before = connected.counters;
    device.resources.set('level', { fn: 3, run: () => 5 });
    await bench.server.call(PUMP, 'level', { payload: 1 });
    const run = device.all(Type.RUN)[0]!;
    const after = connected.counters;
    assert.equal(after.messagesIn - before.messagesIn, 1);
    assert.equal(after.messagesOut - before.messagesOut, 1);
    assert.equal(after.bytesOut - before.bytesOut, run.bytes.length);
    assert.equal(after.bytesIn - before.bytesIn, device.build(Type.OK, { id: run.id!, payload: 5 }).length);
    assert.equal(before.messagesIn, 1, 'the CONNECT counts');
    assert.equal(before.messagesOut, 1, 'and its OK');
  });

  it('is gone from the registry when disconnected is told', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const gone = new Promise<number>((resolve) =>
      bench.server.once('disconnected', () => resolve(bench.server.deviceCount)),
    );
    device.wire.end();
    assert.equal(await gone, 0);
    assert.equal(bench.server.device(PUMP), undefined);
  });

  it('may say goodbye with DISCONNECT, which is answered with OK where it has a stream id', async () => {
    const bench = await BrokerBench.start();
    const polite = await bench.device();
    polite.send(message(Type.DISCONNECT, Buffer.from([0x08, 5])));
    assert.equal((await polite.next()).bytes.toString('hex'), '01020805');
    await polite.closed;
    const brief = await bench.device();
    brief.send(message(Type.DISCONNECT));
    await brief.closed;
    assert.equal(brief.received.length, 1);
    assert.equal(bench.server.deviceCount, 0);
  });
});

describe('default user', () => {
  it('is that of the first registered device, else of the first connected one', async () => {
    const registered = await BrokerBench.start();
    assert.equal(registered.server.defaultUser, 'anna');
    const open = await BrokerBench.start({ devices: [], anonymous: true });
    assert.equal(open.server.defaultUser, '');
    await open.device({ user: 'guest', device: 'one' });
    await open.device({ user: 'other', device: 'two' });
    assert.equal(open.server.defaultUser, 'anonymous');
    assert.deepEqual(open.server.registered, []);
  });

  it('goes with the names of the registered devices, never with their credentials', async () => {
    const bench = await BrokerBench.start();
    assert.deepEqual(bench.server.registered, [
      { user: 'anna', device: 'pump' },
      { user: 'anna', device: 'lamp' },
    ]);
  });
});

describe('stream ids of a device', () => {
  it('run on over reconnects and take-overs', async () => {
    const bench = await BrokerBench.start();
    const ids: number[] = [];
    for (const leaves of [true, true, false, false]) {
      const device = await bench.device();
      device.resources.set('level', { fn: 3, run: () => 5 });
      await bench.server.call(PUMP, 'level', { payload: 1 });
      await bench.server.call(PUMP, 'level', { payload: 1 });
      ids.push(...requestIds(device));
      if (!leaves) continue;
      device.wire.end();
      await device.closed;
    }
    assert.equal(ids.length, 8);
    for (let i = 1; i < ids.length; i++) assert.equal(ids[i], (ids[i - 1]! % 65_535) + 1);
  });

  it('are those of the device alone', async () => {
    const bench = await BrokerBench.start();
    const pump = await bench.device();
    const lamp = await bench.device(LAMP);
    for (const device of [pump, lamp]) device.resources.set('level', { fn: 3, run: () => 5 });
    for (let i = 0; i < 5; i++) await bench.server.call(PUMP, 'level', { payload: 1 });
    await bench.server.call(LAMP, 'level', { payload: 1 });
    await bench.server.call(LAMP, 'level', { payload: 1 });
    const [first, second] = requestIds(lamp);
    assert.equal(second, (first! % 65_535) + 1);
  });

  it('begin anywhere, as a device may still answer an earlier run of the server', () => {
    const firstIds = new Set<number>();
    for (let run = 0; run < 20; run++)
      firstIds.add(
        newRegistry()
          .record(PUMP)
          .ids.next(() => false),
      );
    assert.ok(firstIds.size > 10, `${firstIds.size} different ids in 20 runs`);
    for (const id of firstIds) assert.ok(id >= 1 && id <= 65_535);
  });
});

describe('record of a device', () => {
  it('is the same one for as long as it is remembered', () => {
    const registry = newRegistry();
    assert.equal(registry.lastKnown(PUMP), undefined);
    const record = registry.record(PUMP);
    assert.equal(registry.record({ user: 'anna', device: 'pump' }), record);
    assert.equal(registry.lastKnown(PUMP), record.lastKnown);
    assert.notEqual(registry.record(LAMP), record);
  });

  it('is forgotten when 100000 others came after it', () => {
    const registry = newRegistry();
    registry.record(PUMP);
    for (let i = 0; i < 100_000; i++) registry.record({ user: 'guest', device: String(i) });
    assert.equal(registry.lastKnown(PUMP), undefined);
    assert.notEqual(registry.lastKnown({ user: 'guest', device: '0' }), undefined);
  });
});

describe('what is remembered of a device', () => {
  it('is not forgotten while the device is connected, and is when it is away', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('level', { fn: 3, run: () => 5 });
    await bench.server.call(PUMP, 'level', { payload: 1 });
    const states = bench.server.lastKnown(PUMP);
    assert.equal(states?.get('level')?.output, 5);
    bench.server.forget(PUMP);
    assert.equal(bench.server.lastKnown(PUMP), states);
    bench.server.device(PUMP)?.close();
    await device.serverEnded;
    assert.equal(bench.server.lastKnown(PUMP), states);
    bench.server.forget(PUMP);
    assert.equal(bench.server.lastKnown(PUMP), undefined);
  });
});
