import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LAMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { samplesOf, ServicesBench, subscribed } from './support';

/** Two devices with three subscriptions to the same. */
async function subscribers(
  parameters: unknown,
): Promise<{ bench: ServicesBench; told: () => Promise<unknown[]> }> {
  const bench = await ServicesBench.startWithTopics();
  bench.services.rights.rules = [{ effect: 'allow', who: '*', action: 'SubscribeEvents', target: '*' }];
  const places: [RawDevice, number][] = [];
  const [pump, lamp] = [await bench.broker.device(), await bench.broker.device(LAMP)];
  for (const [device, id] of [
    [pump, 7],
    [pump, 700],
    [lamp, 8],
  ] as const) {
    await subscribed(device, id, parameters);
    places.push([device, id]);
  }
  const told = async (): Promise<unknown[]> => {
    for (const device of [pump, lamp]) await device.barrier();
    return places.flatMap(([device, id]) => samplesOf(device, id));
  };
  return { bench, told };
}

/** Has the time of what is told count how often it is read. */
function countReads(told: object): () => number {
  let reads = 0;
  const get = (): number => {
    reads++;
    return 5;
  };
  Object.defineProperty(told, 'ts', { get, enumerable: true });
  return () => reads;
}

describe('what many devices are told', () => {
  it('is encoded once, where it is an event', async () => {
    const { bench, told } = await subscribers({ event: 'bucket_write' });
    const event = { event: 'bucket_write', user: 'anna', ts: 0, bucket: 'b' };
    const reads = countReads(event);
    bench.broker.server.events.publish(event);
    assert.equal(reads(), 1);
    assert.deepEqual(await told(), new Array(3).fill({ ...event, ts: 5 }));
  });

  it('is encoded once, where it is the message of a topic', async () => {
    const { bench, told } = await subscribers({
      event: 'device_topic_publish',
      scope: 'subscribe',
      topic: '#',
    });
    let reads = (): number => 0;
    bench.broker.server.events.listen((message) => (reads = countReads(message)));
    await bench.services.topics.publish('anna', 'a', 1);
    assert.equal(reads(), 1);
    const message = { event: 'device_topic_publish', user: 'anna', ts: 5, topic: 'a', payload: 1 };
    assert.deepEqual(await told(), new Array(3).fill(message));
  });
});
