import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import type { RetainedMessages } from '../../../../src/services/topics/retained-messages';
import { RetainedWriter } from '../../../../src/services/topics/retained-writer';
import type { Value } from '../../../../src/types';
import { message, psonField, Type, varintField } from '../../support/raw-message';
import { ServicesBench, subscribed } from '../support';

/** A store that does one write each time it is told to. */
class SteppedStore implements RetainedMessages {
  readonly log: unknown[] = [];
  readonly #waiting: PromiseWithResolvers<undefined>[] = [];

  async set(_user: string, _topic: string, payload: Value): Promise<void> {
    await this.#turn(payload);
  }

  async remove(): Promise<boolean> {
    await this.#turn('removed');
    return true;
  }

  async clear(): Promise<void> {
    await this.#turn('cleared');
  }

  list(): Promise<{ messages: [] }> {
    return Promise.resolve({ messages: [] });
  }

  async step(failure?: Error): Promise<void> {
    const next = this.#waiting.shift();
    if (failure === undefined) next?.resolve(undefined);
    else next?.reject(failure);
    await setImmediate();
  }

  #turn(what: Value): Promise<undefined> {
    this.log.push(what);
    const turn = Promise.withResolvers<undefined>();
    this.#waiting.push(turn);
    return turn.promise;
  }
}

/** A writer, and the outcomes of the messages of one topic so far. */
function setUp() {
  const store = new SteppedStore();
  const writer = new RetainedWriter(store);
  const outcomes = new Map<number, string>();
  let last = 0;
  let settled = 0;
  const note = (n: number, outcome: string): void => {
    outcomes.set(n, outcome);
    settled++;
  };
  const write = (count = 1): void => {
    for (const end = last + count; last < end;) {
      const n = ++last;
      writer.write('anna', { topic: 'a', payload: n, ts: 0 }).then(
        () => note(n, 'kept'),
        (error: unknown) => note(n, (error as Error).message),
      );
    }
  };
  const takeOutcomes = (): [number, string][] => {
    const taken = [...outcomes].sort(([a], [b]) => a - b);
    outcomes.clear();
    return taken;
  };
  return { store, writer, write, takeOutcomes, waiting: () => last - settled };
}

describe('writer of retained messages', () => {
  it('settles the messages of a topic with the write that covers them', async () => {
    const { store, writer, write, takeOutcomes } = setUp();
    write();
    write(3);
    assert.deepEqual(takeOutcomes(), []);
    await store.step();
    assert.deepEqual(takeOutcomes(), [[1, 'kept']]);
    write(2);
    await store.step();
    assert.deepEqual(takeOutcomes(), [
      [2, 'kept'],
      [3, 'kept'],
      [4, 'kept'],
    ]);
    await store.step();
    assert.deepEqual(takeOutcomes(), [
      [5, 'kept'],
      [6, 'kept'],
    ]);
    assert.deepEqual(store.log, [1, 4, 6]);
    assert.equal(writer.pending, 0);
  });

  it('holds no more than what came during two writes, however long messages keep coming', async () => {
    const { store, write, waiting } = setUp();
    let most = 0;
    for (let turn = 0; turn < 200; turn++) {
      write(50);
      most = Math.max(most, waiting());
      await store.step();
    }
    assert.ok(most <= 101, `${most} messages waited`);
  });

  it('lets the newer write decide on the messages of one that failed', async () => {
    const { store, writer, write, takeOutcomes } = setUp();
    write(2);
    await store.step(new Error('disk full'));
    assert.deepEqual(takeOutcomes(), []);
    await store.step();
    assert.deepEqual(takeOutcomes(), [
      [1, 'kept'],
      [2, 'kept'],
    ]);
    write(3);
    await store.step(new Error('disk full'));
    await store.step(new Error('still full'));
    assert.deepEqual(takeOutcomes(), [
      [3, 'still full'],
      [4, 'still full'],
      [5, 'still full'],
    ]);
    assert.equal(writer.pending, 0);
  });

  it('tells who clears of a message that could not be removed', async () => {
    const { store, writer, write, takeOutcomes } = setUp();
    write();
    const cleared = assert.rejects(writer.clear('anna'), /no removal/);
    await store.step();
    await store.step();
    assert.deepEqual(takeOutcomes(), [[1, 'kept']]);
    await store.step(new Error('no removal'));
    await cleared;
    assert.deepEqual(store.log, [1, 'cleared', 'removed']);
  });

  it('is settled when the last message of each topic is written', async () => {
    const { store, writer, write } = setUp();
    write(2);
    let isSettled = false;
    const settled = writer.settled().then(() => (isSettled = true));
    await store.step();
    assert.equal(isSettled, false);
    await store.step();
    await settled;
  });
});

describe('messages that wait to be kept', () => {
  /** A message of a number takes 528 bytes while it waits. */
  const ROOM = 528 * 20;

  it('are bounded in bytes for each device, however small they are', async () => {
    const store = new SteppedStore();
    const limits = { waitingMessageBytesPerDevice: ROOM };
    const bench = await ServicesBench.start({ topics: { retained: store } }, { limits });
    const { topics } = bench.services;
    const pump = await bench.broker.device();
    const parameters = { event: 'device_topic_publish', scope: 'publish', topic: 'a', retained: true };
    await subscribed(pump, 1, parameters);
    const send = async (count: number): Promise<void> => {
      const one = message(Type.STREAM_DATA, varintField(1, 1), psonField(3, 1));
      pump.send(Buffer.concat(Array.from({ length: count }, () => one)));
      await pump.barrier();
    };
    await send(20);
    assert.equal(topics.lost, 0);
    await send(5);
    assert.equal(topics.lost, 5);
    await topics.publish('anna', 'b', 1, { device: 'lamp' });
    await store.step();
    await store.step();
    await send(20);
    assert.equal(topics.lost, 5);
  });

  it('are bounded in bytes in all, also those of flows', async () => {
    const store = new SteppedStore();
    const limits = { waitingMessageBytes: ROOM };
    const bench = await ServicesBench.start({ topics: { retained: store } }, { limits });
    const { topics } = bench.services;
    const publish = (n: number): Promise<void> => topics.publish('anna', `t/${n}`, n, { retain: true });
    const published = Array.from({ length: 20 }, (_, n) => publish(n));
    await assert.rejects(publish(20), { code: 'IOTMP_ERR_BUSY' });
    for (let n = 0; n < 20; n++) await store.step();
    await Promise.all(published);
    const again = publish(20);
    await store.step();
    await again;
  });
});
