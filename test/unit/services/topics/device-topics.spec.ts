import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ServerEvent } from '../../../../src/broker/event-feed';
import type { TopicMessage } from '../../../../src/services/topics/topic-message';
import { LAMP } from '../../support/broker-fixture';
import type { RawDevice } from '../../support/raw-device';
import { message, Type, varintField } from '../../support/raw-message';
import {
  answerTo,
  BOB,
  captured,
  DIALECTS,
  gist,
  samplesOf,
  ServicesBench,
  subscribe,
  subscribed,
} from '../support';

const event = 'device_topic_publish';

interface Scene {
  readonly bench: ServicesBench;
  readonly pump: RawDevice;
  readonly lamp: RawDevice;
}

async function scene(): Promise<Scene> {
  const bench = await ServicesBench.startWithTopics();
  return { bench, pump: await bench.broker.device(), lamp: await bench.broker.device(LAMP) };
}

function publisher(topic: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { event, scope: 'publish', topic, ...more };
}

function subscriber(topic: string): Record<string, unknown> {
  return { event, scope: 'subscribe', topic };
}

/** What a device got on a stream: topics and payloads. */
function got(device: RawDevice, id: number): unknown[] {
  return samplesOf(device, id).map((sample) => {
    const { topic, payload, retained } = sample as TopicMessage;
    return retained === true ? [topic, payload, 'retained'] : [topic, payload];
  });
}

for (const dialect of DIALECTS) {
  describe(`topics of devices, dialect ${dialect}`, () => {
    it('carry what is published, in order, to all who subscribed, the publisher too', async () => {
      const { bench, pump, lamp } = await scene();
      const bob = await bench.broker.device(BOB);
      await subscribed(pump, 1, publisher('doors/front', { qos: 2 }), dialect);
      await subscribed(pump, 2, subscriber('doors/#'), dialect);
      await subscribed(lamp, 3, subscriber('doors/+'), dialect);
      await subscribed(lamp, 4, subscriber('doors/front'), dialect);
      await subscribed(lamp, 5, subscriber('doors/back'), dialect);
      await subscribed(bob, 6, subscriber('#'), dialect);
      const payloads = [1, 'open', null, { a: [1.5] }, Buffer.from('ab'), true, ''];
      for (const payload of payloads) pump.sample(1, payload);
      pump.send(message(Type.STREAM_DATA, varintField(1, 1)));
      for (const device of [pump, lamp, bob]) await device.barrier();
      const expected = [...payloads, null].map((payload) => ['doors/front', payload]);
      for (const [device, id] of [
        [pump, 2],
        [lamp, 3],
        [lamp, 4],
      ] as const) {
        assert.deepEqual(got(device, id), expected);
      }
      assert.deepEqual([...got(pump, 1), ...got(lamp, 5), ...got(bob, 6)], []);
    });

    it('give the payload in an envelope, which is the event of the server', async () => {
      const { bench, pump, lamp } = await scene();
      const events: ServerEvent[] = [];
      bench.broker.server.events.listen((one) => events.push(one));
      await subscribed(pump, 1, publisher('a/b'), dialect);
      await subscribed(lamp, 2, subscriber('a/b'), dialect);
      await subscribed(lamp, 3, { event }, dialect);
      await subscribed(lamp, 4, { event, filters: { topic: 'a/c' } }, dialect);
      pump.sample(1, 5);
      for (const device of [pump, lamp]) await device.barrier();
      const [{ ts, ...told } = assert.fail()] = events;
      assert.ok(Math.abs(Date.now() - ts) < 60_000);
      assert.deepEqual(told, { event, user: 'anna', device: 'pump', topic: 'a/b', payload: 5 });
      assert.equal(events.length, 1);
      assert.deepEqual([samplesOf(lamp, 2), samplesOf(lamp, 3), samplesOf(lamp, 4)], [events, events, []]);
    });

    it('are refused when scope, topic or qos are not usable', async () => {
      const { bench, pump } = await scene();
      const bad: [Record<string, unknown>, number][] = [
        [publisher('a/+'), 400],
        [publisher('#'), 400],
        [publisher(''), 400],
        [publisher('x'.repeat(1025)), 400],
        [publisher('/'.repeat(64)), 400],
        [publisher('$SYS/a'), 403],
        [publisher('a', { qos: 3 }), 400],
        [publisher('a', { qos: '1' }), 400],
        [subscriber('a#'), 400],
        [subscriber('#/a'), 400],
        [subscriber('a/b+'), 400],
        [subscriber('$share/g/a'), 400],
        [subscriber('x'.repeat(100_000)), 400],
        [{ event, scope: 'publish' }, 400],
        [{ event, scope: 'publish', topic: 5 }, 400],
        [{ event, scope: 'publish', topic: null }, 400],
        [{ event, scope: 'subscribe', topic: ['a'] }, 400],
        [{ event, topic: 'a' }, 400],
        [{ event, scope: 'both', topic: 'a' }, 400],
        [{ event, scope: null, topic: 'a' }, 400],
        [{ event, scope: [], topic: 'a' }, 400],
        [{ event, scope: ['subscribe', 'x'], topic: 'a' }, 400],
      ];
      for (const [parameters, status] of bad) {
        pump.send(subscribe(dialect, 7, parameters));
        const answer = await answerTo(pump, 7);
        assert.equal(answer.parameters, status, JSON.stringify(parameters).slice(0, 80));
      }
      assert.equal(bench.services.topics.size, 0);
    });

    it('keep what is published to be kept for those who come later', async () => {
      const { bench, pump, lamp } = await scene();
      await subscribed(lamp, 1, subscriber('s/#'), dialect);
      await subscribed(pump, 1, publisher('s/a', { retained: true, qos: 1 }), dialect);
      await subscribed(pump, 2, publisher('s/b', { retained: true }), dialect);
      await subscribed(pump, 3, publisher('s/c', { retained: false }), dialect);
      for (const [id, payload] of [
        [1, 1],
        [1, 2],
        [2, 'b'],
        [3, 'c'],
      ] as const) {
        pump.sample(id, payload);
      }
      await pump.barrier();
      await lamp.barrier();
      assert.equal(got(lamp, 1).length, 4);
      assert.ok(
        got(lamp, 1).every((one) => (one as unknown[]).length === 2),
        'none of them is an old one',
      );
      pump.wire.cut();
      await pump.closed;
      await subscribed(lamp, 2, subscriber('s/+'), dialect);
      await lamp.barrier();
      assert.deepEqual(got(lamp, 2), [
        ['s/a', 2, 'retained'],
        ['s/b', 'b', 'retained'],
      ]);
      const again = await bench.broker.device();
      await subscribed(again, 9, publisher('s/a', { retained: true }), dialect);
      again.sample(9, null);
      await again.barrier();
      await subscribed(lamp, 3, subscriber('s/#'), dialect);
      await lamp.barrier();
      assert.deepEqual(got(lamp, 3), [['s/b', 'b', 'retained']]);
      const bob = await bench.broker.device(BOB);
      await subscribed(bob, 3, subscriber('s/#'), dialect);
      await bob.barrier();
      assert.deepEqual(got(bob, 3), []);
    });
  });
}

describe('topics of devices', () => {
  it('are understood as real devices ask for them', async () => {
    const { bench, pump } = await scene();
    for (const name of [
      'event.topic_publish_qos2_retained.start',
      'event.topic_subscribe.start',
      'event.topic_subscribe_qos1.start',
    ]) {
      const { bytes, id = assert.fail() } = captured(name);
      pump.send(bytes);
      assert.deepEqual(gist(await answerTo(pump, id)), ['OK', undefined, undefined], name);
    }
    const published: TopicMessage[] = [];
    bench.services.topics.subscribe('anna', 'devices/q', (one) => published.push(one));
    await bench.broker.clock.settle();
    pump.send(captured('event.topic_publish.data_int').bytes);
    await pump.barrier();
    assert.deepEqual(
      published.map(({ topic, payload }) => [topic, payload]),
      [['devices/q', 5]],
    );
    await bench.services.topics.publish('anna', 'commands/go/left', 'now');
    await bench.services.topics.publish('anna', 'alerts/fire', { hot: true });
    await bench.services.topics.publish('anna', 'alerts/fire/deep', 'no');
    await pump.barrier();
    const ids = ['event.topic_subscribe.start', 'event.topic_subscribe_qos1.start'].map(
      (name) => captured(name).id ?? assert.fail(),
    );
    assert.deepEqual(
      ids.map((id) => got(pump, id)),
      [[['commands/go/left', 'now']], [['alerts/fire', { hot: true }]]],
    );
  });

  it('may be named resources of type mqtt, for one way or both', async () => {
    const { pump, lamp } = await scene();
    const start = (device: RawDevice, id: number, scope: unknown): void =>
      device.send(
        device.build(Type.START_STREAM, { id, resource: 'a/b', parameters: { type: 'mqtt', scope } }),
      );
    start(pump, 1, ['publish', 'subscribe']);
    start(lamp, 2, ['subscribe']);
    start(lamp, 3, null);
    assert.equal((await answerTo(pump, 1)).type, Type.OK);
    assert.equal((await answerTo(lamp, 2)).type, Type.OK);
    assert.equal((await answerTo(lamp, 3)).parameters, 400);
    lamp.send(lamp.build(Type.START_STREAM, { id: 4, resource: ['a', 'b'], parameters: { type: 'mqtt' } }));
    assert.equal((await answerTo(lamp, 4)).type, Type.OK);
    pump.sample(1, 5);
    lamp.sample(2, 'is let go');
    for (const device of [lamp, pump]) await device.barrier();
    await lamp.barrier();
    for (const [device, id] of [
      [pump, 1],
      [lamp, 2],
      [lamp, 4],
    ] as const) {
      assert.deepEqual(got(device, id), [['a/b', 5]]);
    }
  });

  it('end with STOP_STREAM and with the connection, however many there were', async () => {
    const { bench, pump, lamp } = await scene();
    for (let id = 1; id <= 100; id++) await subscribed(pump, id, subscriber(`a/${id}/#`));
    await subscribed(lamp, 1, subscriber('a/#'));
    assert.equal(bench.services.topics.size, 101);
    lamp.send(message(Type.STOP_STREAM, varintField(1, 1)));
    await lamp.barrier();
    assert.equal(bench.services.topics.size, 100);
    pump.wire.cut();
    await pump.closed;
    assert.equal(bench.services.topics.size, 0);
    await bench.services.topics.publish('anna', 'a/1/b', 1);
  });
});
