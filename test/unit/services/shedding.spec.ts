import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LAMP } from '../support/broker-fixture';
import { Type } from '../support/raw-message';
import { MemoryRetainedMessages } from './memory-retained-messages';
import { samplesOf, ServicesBench, subscribed } from './support';

const CALLS = 20;
const EVENT = 'device_topic_publish';
const PADDING = 'x'.repeat(1000);

function subscriber(topic: string, qos: number): Record<string, unknown> {
  return { event: EVENT, scope: 'subscribe', topic, qos };
}

describe('A device that reads too slowly', () => {
  it('loses samples, then messages without assurance, then subscriptions, and no answer or write', async () => {
    const bench = await ServicesBench.start({ topics: { retained: new MemoryRetainedMessages() } });
    const { services, broker } = bench;
    const { server } = broker;
    const level = server.offer('level', { kind: 'output', run: () => 0 });
    server.offer('echo', { kind: 'inout', run: ({ payload }) => payload });
    const wire = broker.memory({ windowBytes: 16_384, highWaterMark: 16_384 });
    const slow = await broker.device(LAMP, wire);
    slow.send(slow.build(Type.START_STREAM, { id: 1, resource: 'level' }));
    await slow.next(Type.OK);
    await subscribed(slow, 2, subscriber('lossy', 0));
    await subscribed(slow, 3, subscriber('assured', 1));
    const lost: string[] = [];
    const look = (): void => {
      for (const kind of ['sample', 'event', 'subscription', 'connection'] as const) {
        if (services.losses.counts[kind] > 0 && !lost.includes(kind)) lost.push(kind);
      }
    };

    wire.pause();
    for (let n = 0; n < 6000 && !lost.includes('subscription'); n++) {
      level.publish({ n, padding: PADDING });
      await services.topics.publish('anna', 'lossy', { n, padding: PADDING });
      await services.topics.publish('anna', 'assured', { n, padding: PADDING });
      look();
      if (n % 300 === 0) slow.send(slow.build(Type.RUN, { id: 100 + n / 300, resource: 'echo', payload: n }));
      if (n % 50 === 0) await broker.clock.settle();
    }
    assert.deepEqual(lost, ['sample', 'event', 'subscription']);
    for (let id = 500; id < 500 + CALLS; id++) {
      slow.send(slow.build(Type.RUN, { id, resource: 'echo', payload: id }));
    }
    slow.send(slow.build(Type.RUN, { id: 600, resource: 2, parameters: 'kept', payload: 7 }));

    wire.resume();
    await broker.until(() => slow.received.some(({ id, type }) => id === 600 && type === Type.OK));
    const answers = slow.all(Type.OK).filter(({ id = 0 }) => id >= 500 && id < 500 + CALLS);
    assert.deepEqual(
      answers.map(({ id, payload }) => [id, payload]),
      Array.from({ length: CALLS }, (_, i) => [500 + i, 500 + i]),
    );
    assert.equal((await services.properties.get(LAMP, 'kept'))?.value, 7);
    assert.equal(services.losses.counts.connection, 0);
    // What was not lost came in order.
    const came = samplesOf(slow, 2).map((one) => (one as { payload: { n: number } }).payload.n);
    assert.deepEqual(
      came,
      came.toSorted((a, b) => a - b),
    );
  });
});
