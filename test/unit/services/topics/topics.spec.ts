import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RetainedMessages } from '../../../../src/services/topics/retained-messages';
import type { RetainedMessage } from '../../../../src/store/retained-store';
import type { TopicMessage } from '../../../../src/services/topics/topic-message';
import type { Topics } from '../../../../src/services/topics/topics';
import type { Value } from '../../../../src/types';
import { MemoryRetainedMessages } from '../memory-retained-messages';
import { ServicesBench } from '../support';

/** A store whose answers a test gives when it likes. */
class SlowStore implements RetainedMessages {
  readonly inner = new MemoryRetainedMessages();
  readonly log: string[] = [];
  readonly #waiting: (() => void)[] = [];
  failure: Error | undefined;

  async set(user: string, topic: string, payload: Value): Promise<void> {
    await this.#turn(`set ${topic} ${JSON.stringify(payload)}`);
    await this.inner.set(user, topic, payload);
  }

  async remove(user: string, topic: string): Promise<boolean> {
    await this.#turn(`remove ${topic}`);
    return this.inner.remove(user, topic);
  }

  async clear(user: string): Promise<void> {
    await this.#turn(`clear ${user}`);
    await this.inner.clear(user);
  }

  async list(
    user: string,
    query: { filter: string; limit: number },
  ): Promise<{ messages: readonly RetainedMessage[] }> {
    await this.#turn(`list ${query.filter}`);
    return this.inner.list(user, query);
  }

  /** Lets the oldest that waits go on. */
  async release(): Promise<void> {
    this.#waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #turn(what: string): Promise<void> {
    this.log.push(what);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.failure !== undefined) throw this.failure;
  }
}

async function topicsOf(
  retained: RetainedMessages = new MemoryRetainedMessages(),
): Promise<{ bench: ServicesBench; topics: Topics }> {
  const bench = await ServicesBench.start({ topics: { retained } });
  return { bench, topics: bench.services.topics };
}

/** A subscription that notes what it gets. */
function listen(topics: Topics, filter: string, user = 'anna'): { got: unknown[]; close: () => void } {
  const got: unknown[] = [];
  const subscription = topics.subscribe(user, filter, ({ topic, payload, retained }) => {
    got.push(retained === true ? [topic, payload, 'retained'] : [topic, payload]);
  });
  return { got, close: () => subscription.close() };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('topics', () => {
  it('are each user’s own', async () => {
    const { topics } = await topicsOf();
    const anna = listen(topics, '#');
    const bob = listen(topics, '#', 'bob');
    await topics.publish('anna', 'a', 1);
    await topics.publish('bob', 'b', 2);
    await settled();
    assert.deepEqual([anna.got, bob.got], [[['a', 1]], [['b', 2]]]);
  });

  it('refuse bad topics and payloads, and everything after their end', async () => {
    const { topics } = await topicsOf();
    await assert.rejects(topics.publish('anna', 'a/#', 1), { code: 'IOTMP_ERR_PROTOCOL' });
    await assert.rejects(topics.publish('anna', '', 1), { code: 'IOTMP_ERR_PROTOCOL' });
    await assert.rejects(
      topics.publish('anna', 'a', () => 1),
      { code: 'IOTMP_ERR_ENCODE' },
    );
    assert.throws(() => topics.subscribe('anna', 'a#', () => undefined), { code: 'IOTMP_ERR_PROTOCOL' });
    const { got } = listen(topics, 'a');
    topics.close();
    topics.close();
    await assert.rejects(topics.publish('anna', 'a', 1), { code: 'IOTMP_ERR_CLOSED' });
    assert.throws(() => topics.subscribe('anna', 'a', () => undefined), { code: 'IOTMP_ERR_CLOSED' });
    assert.deepEqual([got, topics.size], [[], 0]);
  });

  it('give a copy of the payload', async () => {
    const { topics } = await topicsOf();
    const { got } = listen(topics, 'a');
    await settled();
    const payload = { list: [1], when: new Date(0) };
    const published = topics.publish('anna', 'a', payload, { device: 'pump' });
    payload.list.push(2);
    await published;
    assert.deepEqual(got, [['a', { list: [1], when: '1970-01-01T00:00:00.000Z' }]]);
  });

  it('tell nothing to one who left, even among those who are being told', async () => {
    const { topics } = await topicsOf();
    const second = listen(topics, 'a');
    const got: unknown[] = [];
    const first = topics.subscribe('anna', '#', ({ payload }) => {
      got.push(payload);
      second.close();
      first.close();
    });
    await settled();
    await topics.publish('anna', 'a', 1);
    await topics.publish('anna', 'a', 2);
    assert.deepEqual(got, [1]);
    assert.ok(second.got.length <= 1);
    assert.equal(topics.size, 0);
  });

  it('keep the order for all when a listener publishes', async () => {
    const { topics } = await topicsOf();
    const subscription = topics.subscribe('anna', 'n', ({ payload }) => {
      if (typeof payload === 'number' && payload < 3) void topics.publish('anna', 'n', payload + 1);
    });
    const { got } = listen(topics, 'n');
    await settled();
    await topics.publish('anna', 'n', 1);
    assert.deepEqual(got, [
      ['n', 1],
      ['n', 2],
      ['n', 3],
    ]);
    subscription.close();
  });

  it('end a circle of listeners', async () => {
    const { topics } = await topicsOf();
    const failures: unknown[] = [];
    let count = 0;
    topics.subscribe('anna', 'a', () => {
      count++;
      topics.publish('anna', 'a', count, { retain: true }).catch((error: unknown) => failures.push(error));
    });
    await settled();
    await topics.publish('anna', 'a', 0);
    await settled();
    assert.equal(count, 10_000);
    assert.deepEqual(
      failures.map((error) => (error as { code: string }).code),
      ['IOTMP_ERR_LOOP'],
    );
  });

  it('survive a listener that throws', async () => {
    const { bench, topics } = await topicsOf();
    topics.subscribe('anna', '+', () => {
      throw new Error('not today');
    });
    const { got } = listen(topics, 'a');
    await settled();
    await topics.publish('anna', 'a', 1);
    assert.deepEqual(got, [['a', 1]]);
    assert.match(bench.broker.warnings[0] ?? '', /not today/);
  });
});

describe('retained messages', () => {
  it('come first, then what was published meanwhile; of a topic only the newest', async () => {
    const store = new SlowStore();
    await store.inner.set('anna', 'a', 'old');
    await store.inner.set('anna', 'b', 'old');
    await store.inner.set('anna', 'c', 'old');
    const { topics } = await topicsOf(store);
    const { got } = listen(topics, '#');
    void topics.publish('anna', 'a', 'live', { retain: true });
    await topics.publish('anna', 'b', 'live');
    assert.deepEqual(got, []);
    await store.release();
    const [b, c, ...live] = got;
    assert.deepEqual(
      [b, c],
      [
        ['b', 'old', 'retained'],
        ['c', 'old', 'retained'],
      ],
    );
    assert.deepEqual(live, [
      ['a', 'live'],
      ['b', 'live'],
    ]);
    await store.release();
  });

  it('are seen before they are in the store, and are not seen when they are on their way out', async () => {
    const store = new SlowStore();
    await store.inner.set('anna', 'b', 'old');
    const { topics } = await topicsOf(store);
    const published = [
      topics.publish('anna', 'a', 'new', { retain: true }),
      topics.publish('anna', 'b', null, { retain: true }),
    ];
    const { got } = listen(topics, '#');
    for (let i = 0; i < 3; i++) await store.release();
    assert.deepEqual(got, [['a', 'new', 'retained']]);
    await Promise.all(published);
  });

  it('are written one at a time for a topic, the newest last', async () => {
    const store = new SlowStore();
    const { topics } = await topicsOf(store);
    const published = Array.from({ length: 1000 }, (_, n) =>
      topics.publish('anna', 'a', n, { retain: true }),
    );
    published.push(topics.publish('anna', 'b', 'b', { retain: true }));
    await store.release();
    await store.release();
    await store.release();
    await Promise.all(published);
    assert.deepEqual(store.log, ['set a 0', 'set b "b"', 'set a 999']);
    const { messages } = await store.inner.list('anna', { filter: '#', limit: 10 });
    assert.deepEqual(
      messages.map(({ topic, payload }) => [topic, payload]),
      [
        ['a', 999],
        ['b', 'b'],
      ],
    );
  });

  it('that cannot be kept are told to the publisher; they are delivered all the same', async () => {
    const store = new SlowStore();
    const { bench, topics } = await topicsOf(store);
    const { got } = listen(topics, '#');
    store.failure = new Error('the disk is full');
    await store.release();
    assert.match(bench.broker.warnings[0] ?? '', /not available: the disk is full/);
    const published = topics.publish('anna', 'a', 1, { retain: true });
    assert.deepEqual(got, [['a', 1]]);
    await Promise.all([assert.rejects(published, /the disk is full/), store.release()]);
    store.failure = undefined;
    const again = topics.publish('anna', 'a', 2, { retain: true });
    await store.release();
    await again;
  });

  it('of a user who is removed are forgotten, also those that are being written', async () => {
    const store = new SlowStore();
    const { topics } = await topicsOf(store);
    await store.inner.set('anna', '$hidden/a', 1);
    const first = topics.publish('anna', 'a', 1, { retain: true });
    const others = topics.publish('bert', 'a', 1, { retain: true });
    const forgotten = topics.forget('anna');
    for (let turns = 0; turns < 4; turns++) await store.release();
    await Promise.all([first, others, forgotten]);
    assert.deepEqual(store.log, ['set a 1', 'set a 1', 'clear anna', 'remove a']);
    const kept = async (user: string): Promise<unknown> =>
      (await store.inner.list(user, { filter: 'a', limit: 10 })).messages.length;
    assert.deepEqual([await kept('anna'), await kept('bert')], [0, 1]);
  });

  it('in memory are bounded for a user, and forgotten when they are empty', async () => {
    const store = new MemoryRetainedMessages();
    for (let i = 0; i < 10_000; i++) await store.set('anna', `t/${i}`, i);
    await assert.rejects(store.set('anna', 'more', 1), { code: 'IOTMP_ERR_BUSY' });
    await store.set('anna', 't/5', 'again');
    await store.set('bob', 'more', 1);
    assert.equal((await store.list('anna', { filter: '#', limit: 1000 })).messages.length, 1000);
    assert.equal(await store.remove('anna', 't/6'), true);
    assert.equal(await store.remove('anna', 't/6'), false);
    assert.equal(await store.remove('nobody', 't/6'), false);
    await store.set('anna', 'more', 1);
  });

  it('of bytes hold nothing but those bytes', async () => {
    const store = new MemoryRetainedMessages();
    const chunk = Buffer.from('abcdef');
    await store.set('anna', 'a', chunk.subarray(2, 4));
    chunk.fill(0);
    const { messages } = await store.list('anna', { filter: 'a', limit: 1 });
    assert.deepEqual(messages[0]?.payload, Buffer.from('cd'));
  });

  it('are for the filter of who asks, by flows too', async () => {
    const { topics } = await topicsOf();
    for (const topic of ['a', 'a/b', 'a/c', '$x'])
      await topics.publish('anna', topic, topic, { retain: true });
    const found: Record<string, unknown[]> = {};
    for (const filter of ['#', 'a/#', 'a/+', 'a', '$x', '+']) {
      const messages: TopicMessage[] = [];
      topics.subscribe('anna', filter, (one) => messages.push(one));
      await settled();
      assert.ok(messages.every(({ retained, ts }) => retained === true && ts > 0));
      found[filter] = messages.map(({ topic }) => topic);
    }
    assert.deepEqual(found, {
      '#': ['a', 'a/b', 'a/c'],
      'a/#': ['a', 'a/b', 'a/c'],
      'a/+': ['a/b', 'a/c'],
      a: ['a'],
      $x: ['$x'],
      '+': ['a'],
    });
  });
});
