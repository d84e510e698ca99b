import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RetainedMessages } from '../../../../src/services/topics/retained-messages';
import type { TopicMessage } from '../../../../src/services/topics/topic-message';
import { LAMP } from '../../support/broker-fixture';
import type { RawDevice } from '../../support/raw-device';
import { Type } from '../../support/raw-message';
import type { RawWire } from '../../support/raw-wire';
import { MemoryRetainedMessages } from '../memory-retained-messages';
import { samplesOf, ServicesBench, subscribed } from '../support';

const event = 'device_topic_publish';
const MIB = 2 ** 20;

/** A server with a device that reads only while its wire is resumed. */
interface SlowScene {
  readonly bench: ServicesBench;
  readonly slow: RawDevice;
  readonly wire: RawWire & { pause(): void; resume(): void };
}

async function scene(retained: RetainedMessages = new MemoryRetainedMessages()): Promise<SlowScene> {
  const bench = await ServicesBench.start({ topics: { retained } });
  const wire = bench.broker.memory({ windowBytes: 16_384, highWaterMark: 16_384 });
  return { bench, wire, slow: await bench.broker.device(LAMP, wire) };
}

function subscriber(topic: string, qos?: number): Record<string, unknown> {
  return { event, scope: 'subscribe', topic, ...(qos !== undefined && { qos }) };
}

/** Publishes so many messages of 1,000 bytes and more, with numbers. */
async function flood(
  { services, broker }: ServicesBench,
  topic: string,
  count: number,
  from = 0,
): Promise<void> {
  const padding = 'x'.repeat(1000);
  for (let n = from; n < from + count; n++) {
    await services.topics.publish('anna', topic, { n, padding });
    if (n % 50 === 0) await broker.clock.settle();
  }
  await broker.clock.settle();
}

/** Lets the device read until nothing more comes. */
async function readAll({ bench, slow, wire }: SlowScene): Promise<void> {
  wire.resume();
  for (let before = -1; slow.received.length !== before;) {
    before = slow.received.length;
    for (let turn = 0; turn < 3; turn++) await bench.broker.clock.settle();
  }
}

function numbers(device: RawDevice, id: number): number[] {
  return samplesOf(device, id).map((one) => ((one as TopicMessage).payload as { n: number }).n);
}

function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, n) => from + n);
}

/** Retained messages that count how many of them were read. */
class CountedMessages extends MemoryRetainedMessages {
  read = 0;

  override async list(
    ...args: Parameters<MemoryRetainedMessages['list']>
  ): ReturnType<MemoryRetainedMessages['list']> {
    const page = await super.list(...args);
    this.read += page.messages.length;
    return page;
  }
}

describe('the retained messages of a subscription', () => {
  for (const count of [999, 10_000]) {
    it(`all come, where they are ${count} and the device reads slowly`, async () => {
      const retained = new CountedMessages();
      for (let n = 0; n < count; n++)
        await retained.set('anna', `house/${n}`, { n, padding: 'x'.repeat(200) });
      const { bench, slow, wire } = await scene(retained);
      await subscribed(slow, 1, subscriber('house/#'));
      let unread = 0;
      for (let turn = 0; numbers(slow, 1).length < count && turn < 20 * count; turn++) {
        wire.pause();
        await bench.broker.clock.settle();
        unread = Math.max(unread, retained.read - numbers(slow, 1).length);
        wire.resume();
        await bench.broker.clock.settle();
      }
      assert.deepEqual(
        numbers(slow, 1).sort((a, b) => a - b),
        upTo(count),
      );
      // A page of 50, and what the connection holds.
      assert.ok(unread <= 200, `${unread} messages were in memory`);
      assert.deepEqual([bench.services.events.lost, bench.services.topics.lost], [0, 0]);
    });
  }

  it('come before all that is published meanwhile, and that comes too', async () => {
    const retained = new MemoryRetainedMessages();
    for (let n = 0; n < 200; n++)
      await retained.set('anna', `house/${1000 + n}`, { n, padding: 'x'.repeat(200) });
    const one = await scene(retained);
    const { bench, slow, wire } = one;
    await subscribed(slow, 1, subscriber('house/#'));
    wire.pause();
    await flood(bench, 'house/live', 300, 200);
    await readAll(one);
    assert.deepEqual(numbers(slow, 1), upTo(500));
  });

  it('are the newer ones of topics that were published to meanwhile', async () => {
    const retained = new MemoryRetainedMessages();
    for (let n = 0; n < 200; n++)
      await retained.set('anna', `house/${1000 + n}`, { n, padding: 'x'.repeat(200) });
    const one = await scene(retained);
    const { bench, slow, wire } = one;
    await subscribed(slow, 1, subscriber('house/#'));
    wire.pause();
    await bench.services.topics.publish('anna', 'house/1199', { n: 999 }, { retain: true });
    await bench.services.topics.publish('anna', 'house/1198', null, { retain: true });
    await readAll(one);
    const last = samplesOf(slow, 1).map((one) => one as TopicMessage);
    const ofTopic = (topic: string): unknown[] =>
      last.filter((one) => one.topic === topic).map(({ payload }) => payload);
    assert.deepEqual(ofTopic('house/1199'), [{ n: 999 }]);
    assert.deepEqual(ofTopic('house/1198'), [null]);
    assert.equal(last.length, 200);
  });

  it('let the oldest of what is published meanwhile give way past 1 MiB, which is counted and told', async () => {
    const retained = new MemoryRetainedMessages();
    for (let n = 0; n < 200; n++)
      await retained.set('anna', `house/${1000 + n}`, { n, padding: 'x'.repeat(200) });
    const one = await scene(retained);
    const { bench, slow, wire } = one;
    await subscribed(slow, 1, subscriber('house/#'));
    wire.pause();
    await flood(bench, 'house/live', 2000, 200);
    await readAll(one);
    const came = numbers(slow, 1);
    const { lost } = bench.services.topics;
    assert.ok(lost > 900 && lost < 1100, `${lost} were lost`);
    assert.deepEqual(came, [...upTo(200), ...upTo(2000 - lost, 200 + lost)]);
    assert.deepEqual(bench.broker.warnings, ['messages of house/# are lost: a subscriber reads too slowly']);
  });

  it('end a subscription of qos 1 past 4 MiB that are published meanwhile', async () => {
    const retained = new MemoryRetainedMessages();
    for (let n = 0; n < 200; n++)
      await retained.set('anna', `house/${1000 + n}`, { n, padding: 'x'.repeat(200) });
    const one = await scene(retained);
    const { bench, slow, wire } = one;
    await subscribed(slow, 1, subscriber('house/#', 1));
    wire.pause();
    await flood(bench, 'house/live', 3000);
    assert.equal(bench.services.topics.size, 1);
    await flood(bench, 'house/live', 1500, 3000);
    assert.equal(bench.services.topics.size, 0);
    assert.deepEqual([bench.services.events.ended, bench.services.topics.lost], [1, 0]);
    wire.resume();
    const stop = await slow.next(Type.STOP_STREAM);
    assert.deepEqual([stop.id, stop.parameters], [1, 503]);
  });
});

/** Retained messages that are read only when a test lets them. */
class HeldMessages extends MemoryRetainedMessages {
  readonly filters: string[] = [];
  readonly #gates: (() => void)[] = [];

  override async list(
    ...args: Parameters<MemoryRetainedMessages['list']>
  ): ReturnType<MemoryRetainedMessages['list']> {
    this.filters.push(args[1].filter);
    await new Promise<void>((resolve) => this.#gates.push(resolve));
    return super.list(...args);
  }

  /** Lets the reads that wait go on. */
  release(): void {
    for (const open of this.#gates.splice(0)) open();
  }
}

describe('several subscriptions of a device', () => {
  it('get their retained messages one after the other, those of another device meanwhile', async () => {
    const retained = new HeldMessages();
    const { bench, slow } = await scene(retained);
    const pump = await bench.broker.device();
    for (const id of [1, 2, 3]) await subscribed(slow, id, subscriber(`lamp/${id}`));
    await subscribed(pump, 4, subscriber('pump/4'));
    assert.deepEqual(retained.filters, ['lamp/1', 'pump/4']);
    retained.release();
    await bench.broker.clock.settle();
    assert.deepEqual(retained.filters, ['lamp/1', 'pump/4', 'lamp/2']);
    slow.send(slow.build(Type.STOP_STREAM, { id: 3 }));
    await bench.broker.clock.settle();
    retained.release();
    await bench.broker.clock.settle();
    assert.deepEqual(retained.filters, ['lamp/1', 'pump/4', 'lamp/2'], 'the third is not read any more');
  });

  it('all end with the device, also those that wait for their turn', async () => {
    const retained = new HeldMessages();
    const { bench, slow } = await scene(retained);
    for (const id of [1, 2, 3]) await subscribed(slow, id, subscriber(`lamp/${id}`));
    slow.wire.end();
    await slow.closed;
    await bench.broker.clock.settle();
    retained.release();
    await bench.broker.clock.settle();
    assert.deepEqual(retained.filters, ['lamp/1']);
    assert.equal(bench.services.topics.size, 0);
  });

  for (const [name, limits] of Object.entries({
    'of one device': { waitingMessageBytesPerDevice: 10_000 },
    'of all devices': { waitingMessageBytes: 10_000 },
  })) {
    it(`hold no more bytes than they may together, ${name}`, async () => {
      const retained = new HeldMessages();
      const bench = await ServicesBench.start({ topics: { retained } }, { limits });
      const lamp = await bench.broker.device(LAMP);
      await subscribed(lamp, 1, subscriber('live'));
      await subscribed(lamp, 2, subscriber('+'));
      await flood(bench, 'live', 4);
      assert.equal(bench.services.topics.lost, 0, 'up to the bound');
      await flood(bench, 'live', 16, 4);
      const lost: number = bench.services.topics.lost;
      assert.ok(lost >= 30 && lost < 40, `${lost} of 40 were lost`);
      assert.equal(bench.broker.warnings.length, 1);
      retained.release();
      await bench.broker.clock.settle();
      retained.release();
      await bench.broker.clock.settle();
      assert.equal(numbers(lamp, 1).length + numbers(lamp, 2).length, 40 - lost);
      await flood(bench, 'live', 50, 20);
      assert.equal(bench.services.topics.lost, lost, 'what was sent is given back');
    });
  }
});

describe('a subscription of a device that reads too slowly', () => {
  for (const qos of [undefined, 0]) {
    it(`loses the oldest past 1 MiB with qos ${qos}, which is counted and told; nobody else notices`, async () => {
      const one = await scene();
      const { bench, slow, wire } = one;
      const pump = await bench.broker.device();
      await subscribed(slow, 1, subscriber('flood', qos));
      await subscribed(pump, 2, subscriber('flood'));
      wire.pause();
      await flood(bench, 'flood', 900);
      const { events } = bench.services;
      assert.deepEqual([events.lost], [0]);
      await flood(bench, 'flood', 1100, 900);
      const lost: number = events.lost;
      assert.ok(lost > 900 && lost < 1100, `${lost} were lost`);
      assert.deepEqual(bench.broker.warnings, [
        `${event} for anna/lamp: messages are lost: the device reads too slowly`,
      ]);
      await readAll(one);
      const came = numbers(slow, 1);
      assert.equal(came.length, 2000 - lost);
      const waited = Math.floor(MIB / 1100);
      assert.deepEqual(came.slice(-waited), upTo(waited, 2000 - waited));
      assert.deepEqual(numbers(pump, 2), upTo(2000));
    });
  }

  it('is warned of again when it falls behind again', async () => {
    const one = await scene();
    const { bench, slow, wire } = one;
    await subscribed(slow, 1, subscriber('flood'));
    for (let round = 0; round < 2; round++) {
      wire.pause();
      await flood(bench, 'flood', 1500);
      await readAll(one);
    }
    assert.equal(bench.broker.warnings.length, 2);
  });

  for (const qos of [1, 2]) {
    it(`gets everything up to 4 MiB with qos ${qos}, and then ends with a code`, async () => {
      const one = await scene();
      const { bench, slow, wire } = one;
      const pump = await bench.broker.device();
      await subscribed(slow, 1, subscriber('flood', qos));
      await subscribed(pump, 2, subscriber('flood'));
      wire.pause();
      await flood(bench, 'flood', 3500);
      await readAll(one);
      assert.deepEqual(numbers(slow, 1), upTo(3500));
      wire.pause();
      await flood(bench, 'flood', 4500, 3500);
      assert.equal(bench.services.topics.size, 1);
      wire.resume();
      const stop = await slow.next(Type.STOP_STREAM);
      assert.deepEqual([stop.id, stop.parameters], [1, 503]);
      assert.match((stop.payload as { error: string }).error, /too slow/);
      assert.deepEqual([bench.services.events.lost, bench.services.events.ended], [0, 1]);
      assert.equal(bench.broker.warnings.length, 1);
      assert.match(bench.broker.warnings[0] ?? '', /anna\/lamp: the subscription has ended/);
      assert.deepEqual(numbers(pump, 2), upTo(8000));
      // The connection, and what else runs over it, stays.
      await subscribed(slow, 3, subscriber('flood'));
    });
  }

  it('gets a burst whole, where it reads', async () => {
    const one = await scene();
    const { bench, slow } = one;
    await subscribed(slow, 1, subscriber('burst/#'));
    const topics = upTo(1000).map((n) => `burst/${n}`);
    await Promise.all(topics.map((topic, n) => bench.services.topics.publish('anna', topic, { n })));
    await bench.broker.clock.settle();
    assert.deepEqual(numbers(slow, 1), upTo(1000));
  });

  it('loses the oldest events, too', async () => {
    const one = await scene();
    const { bench, slow, wire } = one;
    await subscribed(slow, 1, { event: 'device_state_change' });
    wire.pause();
    const tell = (n: number): void =>
      bench.broker.server.events.publish({
        event: 'device_state_change',
        user: 'anna',
        ts: 0,
        payload: { n, padding: 'x'.repeat(1000) },
      });
    for (let n = 0; n < 1500; n++) tell(n);
    const { lost } = bench.services.events;
    assert.ok(lost > 400 && lost < 600, `${lost} were lost`);
    await readAll(one);
    assert.equal(numbers(slow, 1).length, 1500 - lost);
    assert.equal(numbers(slow, 1).at(-1), 1499);
  });
});
