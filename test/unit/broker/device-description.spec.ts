import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DeviceDescription } from '../../../src/broker/device-description';
import type { Value } from '../../../src/types';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { message, psonField, Type, varintField } from '../support/raw-message';

describe('description of a device', () => {
  it('tells of each resource what the device said', () => {
    const description = new DeviceDescription({
      relay: { fn: 2 },
      'gpio/:pin': { fn: 4, pr: true, st: false, id: 7 },
      empty: null,
      odd: { fn: 'three', pr: 1, st: 0 },
    });
    assert.deepEqual(description.resources, [
      { name: 'relay', fn: 2, needsParameters: false, streamable: true },
      { name: 'gpio/:pin', fn: 4, needsParameters: true, streamable: false },
      { name: 'empty', fn: undefined, needsParameters: false, streamable: true },
      { name: 'odd', fn: undefined, needsParameters: false, streamable: true },
    ]);
    assert.equal(description.find('relay')?.fn, 2);
    assert.equal(description.find('gpio/4')?.fn, 4);
    assert.equal(description.find('gpio/4/5'), undefined);
    assert.equal(description.find('relay/'), undefined);
  });

  it('matches patterns as devices do: an empty segment is a capture, too', () => {
    const description = new DeviceDescription({
      'gpio/:pin': { fn: 2 },
      'files/*path': { fn: 3 },
      ':a/mid/:b': { fn: 1 },
      'out//x': { fn: 3 },
    });
    assert.equal(description.find('gpio/')?.fn, 2);
    assert.equal(description.find('/mid/')?.fn, 1);
    assert.equal(description.find('files/')?.fn, 3);
    assert.equal(description.find('files/a/b/c')?.fn, 3);
    assert.equal(description.find('out//x')?.fn, 3);
    assert.equal(description.find('gpio'), undefined);
    assert.equal(description.find(''), undefined);
  });

  it('may be null, absent or nonsense: then nothing is known', () => {
    const payloads: (Value | undefined)[] = [
      null,
      undefined,
      5,
      'relay',
      ['relay'],
      Buffer.from('relay'),
      {},
    ];
    for (const payload of payloads) assert.deepEqual(new DeviceDescription(payload).resources, []);
  });

  it('stands hostile names', () => {
    const payload = Object.fromEntries<Value>([
      ['__proto__', { fn: 2 }],
      ['constructor', { fn: 2 }],
      ['', { fn: 3 }],
      ['/', { fn: 3 }],
      [':', { fn: 3 }],
      ['*', { fn: 3 }],
      [':a/:a', { fn: 3 }],
      ['*rest/more', { fn: 3 }],
      ['a\0b', { fn: 3 }],
      ['x'.repeat(100_000), { fn: 3 }],
      ['d/'.repeat(500) + ':e', { fn: 3 }],
    ]);
    Object.defineProperty(payload, '__proto__', { value: { fn: 2 }, enumerable: true });
    const description = new DeviceDescription(payload);
    assert.equal(description.resources.length, 11);
    assert.equal(description.find('__proto__')?.fn, 2);
    assert.equal(description.find('constructor')?.fn, 2);
    assert.equal(description.find('toString'), undefined);
    assert.equal(description.find('d/'.repeat(500) + 'f')?.fn, 3);
    assert.equal(({} as { fn?: number }).fn, undefined);
  });
});

describe('DESCRIBE of a connected device', () => {
  it('is asked once for a connection, without a resource', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('level', { fn: 3, run: () => 5 });
    const connected = bench.server.device(PUMP)!;
    const [one, other] = await Promise.all([connected.describe(), connected.describe()]);
    assert.equal(one, other);
    assert.equal(await connected.functionOf('level'), 3);
    assert.equal(await connected.functionOf('nothing'), undefined);
    assert.equal(device.all(Type.DESCRIBE).length, 1);
    assert.equal(device.all(Type.DESCRIBE)[0]?.resource, undefined);
    assert.equal(device.acts.length, 0);

    const again = await bench.device();
    await bench.server.device(PUMP)!.describe();
    assert.equal(again.all(Type.DESCRIBE).length, 1);
  });

  it('is asked again after a failure, a timeout or an error of the device', async () => {
    const bench = await BrokerBench.start({ requestTimeoutMs: 1000 });
    const device = await bench.device();
    device.serves = false;
    const connected = bench.server.device(PUMP)!;

    const timedOut = assert.rejects(connected.describe(), { code: 'IOTMP_ERR_TIMEOUT' });
    await device.next(Type.DESCRIBE);
    await bench.clock.advance(1000);
    await timedOut;

    const refused = assert.rejects(connected.describe(), { code: 'IOTMP_ERR_REMOTE' });
    device.error((await device.next(Type.DESCRIBE)).id!);
    await refused;

    const described = connected.describe();
    device.ok((await device.next(Type.DESCRIBE)).id!, { level: { fn: 3 } });
    assert.equal((await described).find('level')?.fn, 3);
  });

  it('may be answered with null by a device without resources', async () => {
    const bench = await BrokerBench.start();
    await bench.device();
    assert.deepEqual((await bench.server.device(PUMP)!.describe()).resources, []);
  });

  it('with an answer that does not decode costs that answer, and times out', async () => {
    const bench = await BrokerBench.start({ requestTimeoutMs: 1000 });
    const device = await bench.device();
    device.serves = false;
    const described = assert.rejects(bench.server.device(PUMP)!.describe(), { code: 'IOTMP_ERR_TIMEOUT' });
    const { id } = await device.next(Type.DESCRIBE);
    device.send(message(Type.OK, varintField(1, id!), Buffer.from([0x1a, 0xc1, 0x05, 0x61])));
    await device.barrier();
    await bench.clock.advance(1000);
    await described;
    assert.match(bench.warnings[0]!, /^anna\/pump: a message of type 1 was dropped/);
  });

  it('keeps the cache of a connection apart from a late answer of the one before', async () => {
    const bench = await BrokerBench.start();
    const older = await bench.device();
    older.serves = false;
    const lost = assert.rejects(bench.server.device(PUMP)!.describe(), { code: 'IOTMP_ERR_CLOSED' });
    const { id: oldId } = await older.next(Type.DESCRIBE);
    older.wire.cut();
    await lost;

    const newer = await bench.device();
    newer.serves = false;
    const described = bench.server.device(PUMP)!.describe();
    const { id } = await newer.next(Type.DESCRIBE);
    newer.send(message(Type.OK, psonField(3, { stale: { fn: 3 } }), varintField(1, oldId!)));
    newer.ok(id!, { fresh: { fn: 3 } });
    assert.deepEqual(
      (await described).resources.map(({ name }) => name),
      ['fresh'],
    );
  });
});
