import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../src/errors';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { assertRefused } from '../support/login';

describe('listener of an event that throws', () => {
  it('costs neither the device nor the port, and is told as a warning', async () => {
    const bench = await BrokerBench.start();
    const fail = (): never => {
      throw new Error('a bug in a flow');
    };
    const events = ['connected', 'disconnected', 'listener', 'authenticationFailed'] as const;
    for (const event of events) bench.server.on(event, fail);
    await bench.server.configure(bench.options({ host: '127.0.0.1', tcpPort: 0 }));
    assert.equal(bench.server.listenerStatus.get('tcp')?.kind, 'listening');
    const device = await bench.device({}, await bench.tcp());
    device.resources.set('level', { fn: 3, run: () => 5 });
    assert.equal((await bench.server.call(PUMP, 'level')).payload, 5);
    await assertRefused(bench, { credential: 'wrong' });
    await bench.device();
    await device.serverEnded;
    assert.equal(bench.server.deviceCount, 1);
    assert.ok(bench.warnings.length >= 6);
    const told = events.map((event) => `a listener of ${event} failed: a bug in a flow`);
    assert.deepEqual(new Set(bench.warnings), new Set(told));
  });
});

describe('listener of an event', () => {
  it('may call the device that has just connected, and the one that is left', async () => {
    const bench = await BrokerBench.start();
    const outcomes: unknown[] = [];
    const note = (call: Promise<{ payload: unknown }>): void => {
      void call.then(
        ({ payload }) => outcomes.push(payload),
        (error: unknown) => outcomes.push(error instanceof IotmpError ? error.code : error),
      );
    };
    bench.server.on('connected', (device) => note(device.call('hello', { payload: 1 })));
    bench.server.on('disconnected', () => note(bench.server.call(LAMP, 'bye', { payload: 1 })));
    const lamp = await bench.device(LAMP);
    for (const name of ['hello', 'bye']) lamp.resources.set(name, { fn: 4, run: () => name });
    const pump = await bench.device();
    assert.equal(pump.received[1]?.resource, 'hello');
    pump.wire.cut();
    await pump.closed;
    await bench.clock.settle();
    assert.deepEqual(
      lamp.received.map(({ resource }) => resource),
      [undefined, 'hello', 'bye'],
    );
    await bench.server.close();
    await bench.clock.settle();
    assert.deepEqual(outcomes, ['IOTMP_ERR_REMOTE', 'IOTMP_ERR_REMOTE', 'bye', 'IOTMP_ERR_OFFLINE']);
  });
});
