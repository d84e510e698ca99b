import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServerServices } from '../../../src/services/server-services';
import { openStore } from '../../../src/store/open-store';
import type { BucketSettings } from '../../../src/store/bucket-store';
import type { Value } from '../../../src/types';
import { describeStores } from '../store/support/stores';
import { BrokerBench } from '../support/broker-fixture';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { scene, type Scene } from './store-support';
import { subscribed } from './support';

const KEY = { user: 'anna', bucket: 'weather' };

function fedBy(topic: unknown, more: BucketSettings = {}): BucketSettings {
  return { config: { source: 'mqtt', topic: topic as Value }, ...more };
}

/** The rows, when all that was published before is written. */
async function rowsOf({ bench }: Scene): Promise<unknown[]> {
  await bench.broker.clock.settle();
  const { rows } = await bench.services.buckets.range(KEY);
  return rows.map(({ device, value }) => (device === undefined ? value : [device, value]));
}

describeStores('bucket that is fed from topics', (open) => {
  it('gets a row of each message that its filter matches, with the device that published it', async () => {
    const scenery = await scene({ store: await open() });
    const { bench, pump } = scenery;
    const { buckets, topics } = bench.services;
    await buckets.define(KEY, fedBy('site/+/climate'));
    assert.equal(buckets.feeds, 1);
    assert.equal(buckets.sourceState(KEY), undefined);
    const publisher = { event: 'device_topic_publish', scope: 'publish', topic: 'site/1/climate' };
    await subscribed(pump, 7, publisher);
    pump.send(message(Type.STREAM_DATA, varintField(1, 7), psonField(3, { t: 1 })));
    await pump.barrier();
    await topics.publish('anna', 'site/2/climate', { t: 2, ts: 5 });
    await topics.publish('anna', 'site/2/other', { t: 3 });
    await topics.publish('bob', 'site/2/climate', { t: 4 });
    assert.deepEqual(await rowsOf(scenery), [
      ['pump', { topic: 'site/1/climate', t: 1 }],
      { topic: 'site/2/climate', t: 2, ts: 5 },
    ]);
  });

  it('keeps what is no map as `value`, and nothing of what is empty', async () => {
    const scenery = await scene({ store: await open() });
    const { buckets, topics } = scenery.bench.services;
    await buckets.define(KEY, fedBy('t'));
    for (const payload of [21.5, 'on', [1, 2], Buffer.from([1]), false, null, {}]) {
      await topics.publish('anna', 't', payload);
    }
    const values = [21.5, 'on', [1, 2], Buffer.from([1]), false].map((value) => ({ topic: 't', value }));
    assert.deepEqual(await rowsOf(scenery), values);
  });

  it('has a number of a text that came without a type, where no digit changes', async () => {
    const scenery = await scene({ store: await open() });
    const { buckets, topics } = scenery.bench.services;
    await buckets.define(KEY, fedBy('t'));
    const link = topics.attachBridge({ publish: () => undefined }, { prefix: 'mqtt/', user: 'anna' });
    for (const text of ['21.50', '21.0', '-3', '007', '89014103211118510720']) {
      link.receive('mqtt/t', Buffer.from(text));
    }
    await topics.publish('anna', 't', '1.10');
    const values = [21.5, 21, -3, '007', '89014103211118510720', '1.10'];
    assert.deepEqual(
      await rowsOf(scenery),
      values.map((value) => ({ topic: 't', value })),
    );
  });

  it('takes messages as its settings say, whenever they change, and none after its end', async () => {
    const scenery = await scene({ store: await open() });
    const { buckets, topics } = scenery.bench.services;
    const fed = async (): Promise<unknown[]> => {
      await buckets.clear(KEY);
      for (const topic of ['a', 'b']) await topics.publish('anna', topic, topic);
      return rowsOf(scenery);
    };
    await buckets.define(KEY, fedBy('a'));
    assert.deepEqual(await fed(), [{ topic: 'a', value: 'a' }]);
    await buckets.update(KEY, { description: 'the same' });
    assert.deepEqual([await fed(), topics.size], [[{ topic: 'a', value: 'a' }], 1]);
    await buckets.update(KEY, { config: { topic: 'b' } });
    assert.deepEqual(await fed(), [{ topic: 'b', value: 'b' }]);
    await buckets.update(KEY, { enabled: false });
    assert.deepEqual([await fed(), buckets.feeds], [[], 0]);
    await buckets.update(KEY, { enabled: true });
    assert.deepEqual(await fed(), [{ topic: 'b', value: 'b' }]);
    await buckets.update(KEY, { config: { source: 'api' } });
    assert.deepEqual(await fed(), []);
    await buckets.define(KEY, fedBy('+'));
    assert.deepEqual(await fed(), [
      { topic: 'a', value: 'a' },
      { topic: 'b', value: 'b' },
    ]);
    await buckets.remove(KEY);
    assert.deepEqual([buckets.feeds, topics.size], [0, 0]);
  });

  it('is fed again after a restart, and takes no message twice that was kept', async () => {
    const store = await open();
    const scenery = await scene({ store });
    const { bench } = scenery;
    await bench.services.topics.publish('anna', 'a', 'before the bucket', { retain: true });
    await bench.services.buckets.define(KEY, fedBy('#'));
    await bench.services.topics.publish('anna', 'b', 'once', { retain: true });
    assert.deepEqual(await rowsOf(scenery), [{ topic: 'b', value: 'once' }]);
    bench.services.close();

    const { clock, server } = bench.broker;
    const services = new ServerServices(server, { store, buckets: { clock } });
    await bench.broker.until(() => services.buckets.feeds === 1);
    await services.topics.publish('anna', 'b', 'twice');
    await clock.settle();
    const { rows } = await services.buckets.range(KEY);
    assert.deepEqual(
      rows.map(({ value }) => value),
      [
        { topic: 'b', value: 'once' },
        { topic: 'b', value: 'twice' },
      ],
    );
    services.close();
  });

  it('tells once why rows are refused, and goes on', async () => {
    const scenery = await scene({ store: await open({ limits: { valueSize: 200 } }) });
    const { bench, takeEvents } = scenery;
    await bench.services.buckets.define(KEY, fedBy('t'));
    takeEvents();
    for (const payload of ['x'.repeat(200), 'y'.repeat(200), 1]) {
      await bench.services.topics.publish('anna', 't', payload);
      await rowsOf(scenery);
    }
    const events = takeEvents().filter(({ event }) => event !== 'device_topic_publish');
    assert.deepEqual(
      events.map(({ event }) => event),
      ['bucket_write_refused', 'bucket_write'],
    );
    const { reason, ...refused } = events[0] ?? {};
    assert.equal(typeof reason, 'string');
    assert.deepEqual(refused, { event: 'bucket_write_refused', ...KEY, topic: 't', statusCode: 413 });
  });

  it('is fed no more when somebody has removed it behind our back', async () => {
    const store = await open();
    const scenery = await scene({ store });
    const { buckets, topics } = scenery.bench.services;
    await buckets.define(KEY, fedBy('t'));
    await store.buckets.remove(KEY);
    await topics.publish('anna', 't', 1);
    await scenery.bench.broker.until(() => buckets.feeds === 0);
    assert.equal(topics.size, 0);
    assert.equal(scenery.takeEvents().at(-1)?.statusCode, 404);
  });
});

describe('bucket that is fed from topics faster than its store writes', () => {
  it('refuses rows past a limit, and says so once', async () => {
    const { bench, takeEvents } = await scene();
    await bench.services.buckets.define(KEY, fedBy('t'));
    await bench.broker.clock.settle();
    takeEvents();
    // All in one turn, so nothing is written meanwhile.
    const published = Array.from({ length: 1100 }, (_, n) => bench.services.topics.publish('anna', 't', n));
    const refused = takeEvents().filter(({ event }) => event === 'bucket_write_refused');
    assert.deepEqual(
      refused.map(({ statusCode, topic }) => [statusCode, topic]),
      [[503, 't']],
    );
    await Promise.all(published);
    await bench.broker.clock.settle();
    assert.equal((await bench.services.buckets.get(KEY))?.rows, 1024);
  });
});

describe('bucket whose topics make no sense', () => {
  const bad = [undefined, '', 5, 'a#', '#/a', 'a/+b', '$share/g/t', 'x'.repeat(1025)];

  it('is refused', async () => {
    const { bench } = await scene();
    const { buckets } = bench.services;
    for (const topic of bad) {
      const refusal = { code: 'IOTMP_ERR_CONFIG', message: /^config\.topic: / };
      await assert.rejects(buckets.define(KEY, fedBy(topic ?? null)), refusal);
    }
    assert.equal(await buckets.get(KEY), undefined);
  });

  it('costs the others nothing, when it was saved', async () => {
    const store = await openStore({ memory: true });
    await store.buckets.define({ user: 'anna', bucket: 'a' }, fedBy('a#'));
    await store.buckets.define({ user: 'anna', bucket: 'b' }, fedBy('a/#'));
    const bench = await BrokerBench.start();
    const services = new ServerServices(bench.server, { store, buckets: { clock: bench.clock } });
    await bench.until(() => services.buckets.feeds === 1);
    assert.equal(bench.warnings.length, 1);
    assert.match(bench.warnings[0] ?? '', /^the bucket anna\/a cannot be fed: config\.topic: /);
    services.close();
  });
});
