import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { BridgeLink, TopicBridge } from '../../../../src/services/topics/topic-bridge';
import type { Topics } from '../../../../src/services/topics/topics';
import { ServicesBench } from '../support';

/** A broker of MQTT 3.1.1: it passes live messages on without the sign that they are retained. */
class Broker implements TopicBridge {
  readonly retained = new Map<string, string>();
  /** Topics that were asked for, in order, and how many questions are open. */
  readonly asked: string[] = [];
  open = 0;
  connected = true;
  link: BridgeLink | undefined;

  publish(topic: string, payload: Buffer, { retain }: { readonly retain: boolean }): void {
    this.#take(topic, payload.toString(), retain);
  }

  /** A message of another client. */
  send(topic: string, payload: string, retain = false): void {
    this.#take(topic, payload, retain);
  }

  askRetained(topic: string): () => void {
    this.asked.push(topic);
    this.open++;
    const payload = this.retained.get(topic);
    if (payload !== undefined) {
      queueMicrotask(() => this.link?.receive(topic, Buffer.from(payload), { retain: true }));
    }
    return () => {
      this.open--;
    };
  }

  /** Connects the bridge again, which gets what is retained. */
  connect(): void {
    this.connected = true;
    this.link?.resume();
    for (const [topic, payload] of this.retained) {
      this.link?.receive(topic, Buffer.from(payload), { retain: true });
    }
  }

  #take(topic: string, payload: string, retain: boolean): void {
    if (retain && payload === '') this.retained.delete(topic);
    else if (retain) this.retained.set(topic, payload);
    this.link?.receive(topic, Buffer.from(payload));
  }
}

interface Scene {
  readonly bench: ServicesBench;
  readonly topics: Topics;
  readonly broker: Broker;
}

async function scene(): Promise<Scene> {
  const bench = await ServicesBench.startWithTopics();
  const { topics } = bench.services;
  const broker = new Broker();
  broker.link = topics.attachBridge(broker, { prefix: 'iotmp/', user: 'anna' });
  broker.connect();
  return { bench, topics, broker };
}

/** What a new subscriber gets. */
async function later({ bench, topics }: Scene): Promise<unknown> {
  await bench.broker.clock.settle();
  const got: [string, unknown][] = [];
  const subscription = topics.subscribe('anna', '#', ({ topic, payload }) => got.push([topic, payload]));
  await bench.broker.clock.settle();
  subscription.close();
  return Object.fromEntries(got);
}

describe('retained messages over MQTT 3.1.1', () => {
  it('replace older ones when they come live, are new topics, and go when they are removed', async () => {
    const scenery = await scene();
    const { broker, topics } = scenery;
    broker.send('iotmp/door', 'open', true);
    broker.send('iotmp/gate', 'stale', true);
    assert.deepEqual(await later(scenery), { door: 'open', gate: 'stale' });
    const heard: unknown[] = [];
    topics.subscribe('anna', '#', ({ topic, payload }) => heard.push([topic, payload]), { retained: false });
    await scenery.bench.broker.clock.advance(1000);
    broker.send('iotmp/door', 'closed', true);
    broker.send('iotmp/gate', '', true);
    broker.send('iotmp/lamp', 'on', true);
    assert.deepEqual(await later(scenery), { door: 'closed', lamp: 'on' });
    assert.deepEqual(
      heard,
      [
        ['door', 'closed'],
        ['gate', null],
        ['lamp', 'on'],
      ],
      'each message once',
    );
  });

  it('stay where a live message is not retained', async () => {
    const scenery = await scene();
    const { broker } = scenery;
    broker.send('iotmp/door', 'open', true);
    await later(scenery);
    await scenery.bench.broker.clock.advance(1000);
    broker.send('iotmp/door', 'moving');
    broker.send('iotmp/cmd', 'unlock');
    assert.deepEqual(await later(scenery), { door: 'open' });
  });

  it('are asked for rarely where there are none, and the last change is seen', async () => {
    const scenery = await scene();
    const { broker, bench } = scenery;
    for (let i = 0; i < 600; i++) {
      broker.send('iotmp/t', String(i));
      await bench.broker.clock.advance(100);
    }
    assert.ok(broker.asked.length <= 6, `${broker.asked.length} questions in a minute`);
    broker.send('iotmp/t', 'kept', true);
    await bench.broker.clock.advance(60_000);
    assert.deepEqual(await later(scenery), { t: 'kept' });
    assert.equal(broker.open, 0, 'every question ends');
  });

  it('follow fast changes of a retained topic', async () => {
    const scenery = await scene();
    for (let i = 0; i < 50; i++) scenery.broker.send('iotmp/t', String(i), true);
    await later(scenery);
    await scenery.bench.broker.clock.advance(1000);
    assert.deepEqual(await later(scenery), { t: 49 });
    assert.ok(scenery.broker.asked.length <= 3);
  });

  it('have few questions open at a time, and none after the end', async () => {
    const scenery = await scene();
    const { broker, bench } = scenery;
    for (let i = 0; i < 200; i++) broker.send(`iotmp/${i}`, 'x');
    assert.equal(broker.open, 32);
    await bench.broker.clock.advance(2000);
    assert.equal(broker.asked.length, 64);
    broker.link?.detach();
    assert.equal(broker.open, 0);
    await bench.broker.clock.advance(60_000);
    assert.equal(broker.asked.length, 64);
  });
});

describe('retained messages of a broker that has restarted', () => {
  it('are there again, if they were lost', async () => {
    const scenery = await scene();
    const { broker, topics, bench } = scenery;
    await topics.publish('anna', 'ours', { a: 1 }, { retain: true });
    await topics.publish('anna', 'changed', 'old', { retain: true });
    broker.send('iotmp/theirs', 'x', true);
    await later(scenery);
    broker.connected = false;
    broker.retained.clear();
    await topics.publish('anna', 'meanwhile', 1, { retain: true });
    broker.retained.set('iotmp/changed', 'new');
    broker.connect();
    assert.deepEqual([...broker.retained.keys()], ['iotmp/changed', 'iotmp/meanwhile']);
    await bench.broker.clock.advance(2000);
    await bench.broker.clock.settle();
    assert.deepEqual(Object.fromEntries(broker.retained), {
      'iotmp/changed': 'new',
      'iotmp/meanwhile': '1',
      'iotmp/ours': '{"a":1}',
      'iotmp/theirs': 'x',
    });
    assert.deepEqual(await later(scenery), { changed: 'new', meanwhile: 1, ours: { a: 1 }, theirs: 'x' });
  });
});
