import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpClient } from '../../../src/client/client';
import type { HubSubscription } from '../../../src/broker/hub/stream-hub';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';

const sample = (humidity: number): object => ({ temperature: 23.5, humidity });

/** A device that is made of this library and knows the compact form. */
async function ownDevice(bench: BrokerBench, compactStreams = true): Promise<IotmpClient> {
  const client = new IotmpClient({
    ...PUMP,
    host: 'server.test',
    clock: bench.clock,
    random: () => 1,
    compactStreams,
    connectTransport: () => {
      const [near, far] = createMemoryPair({ clock: bench.clock });
      bench.server.accept(far);
      return Promise.resolve(near);
    },
  });
  client.connect();
  await client.ready();
  await bench.clock.settle();
  return client;
}

/** Samples of a subscription to `climate`. */
function subscribe(
  bench: BrokerBench,
  intervalMs = 0,
): { samples: unknown[]; subscription: HubSubscription } {
  const samples: unknown[] = [];
  const onSample = (value: unknown): void => void samples.push(value);
  return { samples, subscription: bench.server.subscribe(PUMP, 'climate', { intervalMs, onSample }) };
}

const bytesIn = (bench: BrokerBench): number => bench.server.device(PUMP)?.counters.bytesIn ?? 0;

describe('a stream of a device that knows the compact form', () => {
  it('comes as values alone, to subscribers who notice nothing', async () => {
    const bench = await BrokerBench.start();
    const client = await ownDevice(bench);
    let humidity = 40;
    const climate = client.host('climate', { kind: 'output', run: () => sample(humidity) });
    const { samples, subscription } = subscribe(bench);
    await bench.clock.settle();
    const before = bytesIn(bench);
    climate.publish(sample(++humidity));
    climate.publish(sample(++humidity));
    await bench.clock.settle();
    assert.ok(bytesIn(bench) - before <= 2 * 15);
    assert.deepEqual(samples, [40, 41, 42].map(sample));
    assert.deepEqual(bench.server.device(PUMP)?.lastKnown.get('climate')?.output, sample(42));
    subscription.close();
    await client.close();
  });

  it('goes on with other intervals, after a reconnect, and when the device starts anew with other keys', async () => {
    const bench = await BrokerBench.start();
    const client = await ownDevice(bench);
    let value: object = sample(1);
    client.host('climate', { kind: 'output', run: () => value });
    const slow = subscribe(bench, 2000);
    await bench.clock.advance(4000);
    const fast = subscribe(bench, 1000);
    await bench.clock.advance(2000);
    value = { humidity: 2, temperature: 0 };
    await bench.clock.advance(2000);
    const seen = [...slow.samples, ...fast.samples];
    assert.ok(seen.length > 8);
    for (const one of seen) {
      assert.ok(
        JSON.stringify(one) === JSON.stringify(sample(1)) || JSON.stringify(one) === JSON.stringify(value),
      );
    }
    fast.samples.length = 0;
    bench.server.device(PUMP)?.close();
    await bench.clock.advance(5000);
    assert.ok(fast.samples.length > 2);
    assert.deepEqual(
      new Set(fast.samples.map((one) => JSON.stringify(one))),
      new Set([JSON.stringify(value)]),
    );
    slow.subscription.close();
    fast.subscription.close();
    await client.close();
  });

  it('is opened in the plain way on other devices', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('climate', { fn: 3, run: () => sample(1) });
    const { samples, subscription } = subscribe(bench, 1000);
    await bench.clock.settle();
    const own = await BrokerBench.start();
    const client = await ownDevice(own, false);
    let parameters: unknown;
    client.host('climate', {
      kind: 'output',
      run: (call) => {
        parameters = call.parameters;
        return sample(2);
      },
    });
    const other = subscribe(own, 1000);
    await own.clock.settle();
    assert.deepEqual(
      device.received.filter(({ resource }) => resource === 'climate').map((one) => one.parameters),
      [{ interval: 1000 }],
    );
    assert.deepEqual(parameters, { interval: 1000 });
    assert.deepEqual([samples, other.samples], [[sample(1)], [sample(2)]]);
    const [id] = [...device.streams.keys()];
    device.sample(id ?? 0, [1, 2]);
    await bench.clock.settle();
    assert.deepEqual(samples[1], [1, 2]);
    subscription.close();
    other.subscription.close();
    await client.close();
  });
});

describe('a resource of the server', () => {
  it('is published to subscribers of both kinds', async () => {
    const bench = await BrokerBench.start();
    const offered = bench.server.offer('climate', { kind: 'input', run: () => undefined });
    const client = await ownDevice(bench);
    const samples: unknown[] = [];
    client.stream('climate', {}, { onSample: (value) => samples.push(value) });
    const lamp = await bench.device(LAMP);
    lamp.send(lamp.build(8, { id: 7, resource: 'climate', parameters: { compact: true } }));
    await bench.clock.settle();
    assert.equal(offered.streamCount, 2);
    const own = bench.server.device(PUMP)?.counters.bytesOut ?? 0;
    for (const humidity of [1, 2, 3]) offered.publish(sample(humidity));
    await bench.clock.settle();
    assert.deepEqual(samples, [1, 2, 3].map(sample));
    assert.deepEqual(
      lamp.all(10).map(({ payload }) => payload),
      [1, 2, 3].map(sample),
    );
    const first = 33;
    assert.equal((bench.server.device(PUMP)?.counters.bytesOut ?? 0) - own, first + 2 * 12);
    await client.close();
  });
});
