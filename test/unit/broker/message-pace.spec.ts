import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';

/** Calls of the devices that the server has served. */
async function start(messagesPerSecond: number): Promise<{ bench: BrokerBench; served: unknown[] }> {
  const bench = await BrokerBench.start({ limits: { messagesPerSecond } });
  const served: unknown[] = [];
  bench.server.offer('work', { kind: 'run', run: ({ payload }) => void served.push(payload) });
  return { bench, served };
}

/** Sends calls in one write. */
function flood(device: RawDevice, from: number, to: number): void {
  const calls: Buffer[] = [];
  for (let payload = from; payload <= to; payload++) {
    calls.push(device.build(Type.RUN, { id: 0, payload, resource: 'work' }));
  }
  device.send(Buffer.concat(calls));
}

const WARNING = 'anna/pump: more than 5 messages a second come: they are read more slowly';

describe('The limit of messages a second', () => {
  it('lets as many messages at once through, and says nothing', async () => {
    const { bench, served } = await start(5);
    flood(await bench.device(), 1, 5);
    await bench.clock.settle();
    assert.deepEqual(served, [1, 2, 3, 4, 5]);
    await bench.clock.advance(1000);
    assert.deepEqual(bench.warnings, []);
  });

  it('reads what is past it at its pace: nothing is lost, and one warning tells it', async () => {
    const { bench, served } = await start(5);
    flood(await bench.device(), 1, 12);
    await bench.clock.advance(199);
    assert.deepEqual(served, [1, 2, 3, 4, 5]);
    await bench.clock.advance(1);
    assert.deepEqual(served, [1, 2, 3, 4, 5, 6]);
    await bench.clock.advance(1200);
    assert.deepEqual(served, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.deepEqual(bench.warnings, [WARNING]);
  });

  it('holds over the connections of a device, and slows down no other device', async () => {
    const { bench, served } = await start(5);
    flood(await bench.device(), 1, 8);
    await bench.clock.settle();
    flood(await bench.device(), 9, 12);
    await bench.clock.settle();
    assert.deepEqual(served, [1, 2, 3, 4, 5, 9]);
    flood(await bench.device(LAMP), 13, 16);
    await bench.clock.settle();
    assert.deepEqual(served, [1, 2, 3, 4, 5, 9, 13, 14, 15, 16]);
  });

  it('is off by default', async () => {
    const { bench, served } = await start(0);
    flood(await bench.device(), 1, 1000);
    await bench.clock.settle();
    assert.deepEqual([served.length, bench.warnings], [1000, []]);
  });
});
