import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ClientStreamListener, ClientStreamState } from '../../../src/client/client-stream';
import type { TopicMessage } from '../../../src/services/topics/topic-message';
import { LAMP, PUMP } from '../support/broker-fixture';
import { connectClient, ServicesBench } from './support';

/** Notes samples and states. */
class Notes implements ClientStreamListener {
  readonly samples: unknown[] = [];
  readonly states: ClientStreamState[] = [];

  onSample(payload: unknown): void {
    this.samples.push(payload);
  }

  onState(state: ClientStreamState): void {
    this.states.push(state);
  }

  /** Payloads of messages. */
  get payloads(): unknown[] {
    return this.samples.map((sample) => (sample as TopicMessage).payload);
  }
}

const topicEvent = 'device_topic_publish';

describe('clients', () => {
  it('subscribe to events, and are subscribed again after the server was restarted', async () => {
    const bench = await ServicesBench.startWithTopics();
    const { server, clock } = bench.broker;
    const client = await connectClient(bench.broker, PUMP);
    const notes = new Notes();
    const filters = { device: 'lamp', state: 'connected' };
    const stream = client.subscribeEvent({ event: 'device_state_change', filters }, notes);
    await clock.settle();
    assert.equal(stream.state, 'streaming');
    const first = await connectClient(bench.broker, LAMP);
    await clock.settle();
    assert.equal(notes.samples.length, 1);
    await first.close();
    await server.close();
    await clock.settle();
    assert.equal(stream.state, 'waiting');
    await server.start();
    await bench.broker.advanceUntil(() => stream.state === 'streaming', 500);
    await connectClient(bench.broker, LAMP);
    await clock.settle();
    assert.equal(notes.samples.length, 2);
    await stream.close();
  });

  it('publish to topics and subscribe to them, over a restart of the server too', async () => {
    const bench = await ServicesBench.startWithTopics();
    const { server, clock } = bench.broker;
    const pump = await connectClient(bench.broker, PUMP);
    const lamp = await connectClient(bench.broker, LAMP);
    const notes = new Notes();
    const stream = lamp.subscribeEvent({ event: topicEvent, scope: 'subscribe', topic: 'doors/+' }, notes);
    await clock.settle();
    // The first opens the stream of the topic, the others must not overtake it.
    const published = [1, 2, 3].map((n) => pump.publishTopic('doors/front', n));
    await Promise.all(published);
    await pump.publishTopic('doors/front', 4);
    await pump.publishTopic('doors/back', 5);
    await clock.settle();
    assert.deepEqual(notes.payloads, [1, 2, 3, 4, 5]);
    assert.deepEqual((notes.samples[0] as TopicMessage).topic, 'doors/front');
    await server.close();
    await clock.settle();
    await assert.rejects(pump.publishTopic('doors/front', 6), { code: 'IOTMP_ERR_OFFLINE' });
    await server.start();
    await bench.broker.advanceUntil(() => stream.state === 'streaming' && pump.state === 'open', 500);
    await pump.publishTopic('doors/front', 7);
    await clock.settle();
    assert.deepEqual(notes.payloads, [1, 2, 3, 4, 5, 7]);
  });

  it('publish to more topics at once than streams stay open', async () => {
    const bench = await ServicesBench.startWithTopics();
    const pump = await connectClient(bench.broker, PUMP);
    const lamp = await connectClient(bench.broker, LAMP);
    const notes = new Notes();
    lamp.subscribeEvent({ event: topicEvent, scope: 'subscribe', topic: 'doors/+' }, notes);
    await bench.broker.clock.settle();
    const numbers = Array.from({ length: 70 }, (_, index) => index);
    let sent = 0;
    for (const n of numbers) void pump.publishTopic(`doors/${n}`, n).then(() => sent++);
    await bench.broker.clock.settle();
    assert.equal(sent, numbers.length);
    assert.deepEqual(notes.payloads, numbers);
  });

  it('have messages kept for those who come later', async () => {
    const bench = await ServicesBench.startWithTopics();
    const { clock } = bench.broker;
    const pump = await connectClient(bench.broker, PUMP);
    await pump.publishTopic('state', { on: true }, { retain: true });
    await pump.publishTopic('state', 'passing');
    await clock.settle();
    const notes = new Notes();
    pump.subscribeEvent({ event: topicEvent, scope: 'subscribe', topic: '#' }, notes);
    await clock.settle();
    assert.deepEqual(notes.payloads, [{ on: true }]);
  });

  it('are told that a topic is refused, each time', async () => {
    const bench = await ServicesBench.startWithTopics();
    const pump = await connectClient(bench.broker, PUMP);
    for (let i = 0; i < 2; i++) {
      const both = [pump.publishTopic('a/#', 1), pump.publishTopic('a/#', 2)];
      for (const one of both) await assert.rejects(one, { code: 'IOTMP_ERR_REMOTE', statusCode: 400 });
    }
    assert.equal(bench.refusals.length, 2);
    await assert.rejects(pump.publishTopic('$SYS/x', 1), { statusCode: 403 });
    await assert.rejects(
      pump.publishTopic('a', () => 1),
      { code: 'IOTMP_ERR_ENCODE' },
    );
    await pump.publishTopic('a', 1);
    await assert.rejects(
      pump.publishTopic('a', () => 1),
      { code: 'IOTMP_ERR_ENCODE' },
    );
  });

  it('publish to more topics than they keep open', async () => {
    const bench = await ServicesBench.startWithTopics();
    const { clock } = bench.broker;
    const pump = await connectClient(bench.broker, PUMP);
    const got: string[] = [];
    bench.services.topics.subscribe('anna', '#', ({ topic }) => got.push(topic));
    await clock.settle();
    const topics = Array.from({ length: 200 }, (_, i) => `t/${i}`);
    for (const topic of topics) await pump.publishTopic(topic, 1);
    for (const topic of topics) await pump.publishTopic(topic, 1);
    await clock.settle();
    assert.deepEqual(got, [...topics, ...topics]);
    assert.deepEqual(bench.takeRefusals(), []);
  });

  it('lose what waits for a topic when the connection ends', async () => {
    const bench = await ServicesBench.startWithTopics();
    const pump = await connectClient(bench.broker, PUMP);
    const published = pump.publishTopic('a', 1);
    const lost = assert.rejects(published, { code: 'IOTMP_ERR_OFFLINE' });
    await pump.disconnect();
    await lost;
    await pump.close();
    await assert.rejects(pump.publishTopic('a', 1), { code: 'IOTMP_ERR_OFFLINE' });
  });
});
