import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { openStore } from '../../../src/store/open-store';
import type { Property } from '../../../src/store/property-store';
import type { Store } from '../../../src/store/store';
import { describeStores } from '../store/support/stores';
import { PUMP } from '../support/broker-fixture';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { propertyStart, replay, samples, scene } from './store-support';
import { captured, connectClient, gist, serviceRun } from './support';

const SET = 2;
const OWNER = { user: 'anna', device: 'pump' };

describeStores('subscription to a property', (open) => {
  it('brings each new value as it is, and null when it is removed', async () => {
    const { bench, pump } = await scene({ store: await open() });
    const { properties } = bench.services;
    await properties.set(OWNER, 'x', 'old');
    pump.send(propertyStart(5, 'x'));
    assert.deepEqual(gist(await pump.next(Type.OK)), ['OK', undefined, undefined]);
    const values = [1, { a: Buffer.from([1]) }, 2n ** 60n, null];
    for (const value of values) await properties.set(OWNER, 'x', value);
    await properties.set(OWNER, 'other', 1);
    await properties.set({ user: 'anna', device: 'lamp' }, 'x', 1);
    await properties.remove(OWNER, 'x');
    await pump.barrier();
    assert.deepEqual(samples(pump, 5), [...values, null]);
  });

  it('carries the current value in its OK, where it is asked for and there is one', async () => {
    const { bench, pump } = await scene({ store: await open() });
    pump.send(propertyStart(5, 'x', true));
    assert.deepEqual(gist(await pump.next(Type.OK)), ['OK', undefined, undefined]);
    await bench.services.properties.set(OWNER, 'x', { a: 1 });
    pump.send(propertyStart(6, 'x', true));
    assert.deepEqual(gist(await pump.next(Type.OK)), ['OK', undefined, { a: 1 }]);
    pump.send(propertyStart(7, 'x', false));
    assert.deepEqual(gist(await pump.next(Type.OK)), ['OK', undefined, undefined]);
    await bench.services.properties.set(OWNER, 'x', 2);
    await pump.barrier();
    for (const id of [5, 6, 7]) assert.deepEqual(samples(pump, id).at(-1), 2);
    assert.deepEqual(samples(pump, 6), [2]);
  });

  it('is understood as the Linux client asks for it', async () => {
    const { bench, pump } = await scene({ store: await open() });
    await bench.services.properties.set(OWNER, 'config', { interval: 60 });
    const current = captured('event.property_current.start');
    assert.deepEqual(await replay(pump, current), ['OK', undefined, { interval: 60 }]);
    const other = captured('event.property.start');
    assert.deepEqual(await replay(pump, other), ['OK', undefined, undefined]);
    await bench.services.properties.set(OWNER, 'config', 1);
    await bench.services.properties.set(OWNER, 'other', 2);
    await pump.barrier();
    assert.deepEqual([samples(pump, current.id!), samples(pump, other.id!)], [[1], [2]]);
  });

  it('ends with STOP_STREAM, with another of its id, and with the connection', async () => {
    const { bench, pump } = await scene({ store: await open() });
    const { properties } = bench.services;
    for (const [id, name] of [
      [5, 'a'],
      [6, 'b'],
      [7, 'c'],
    ] as const) {
      pump.send(propertyStart(id, name, true));
      await pump.next(Type.OK);
    }
    assert.equal(properties.watched, 3);
    pump.send(message(Type.STOP_STREAM, varintField(1, 5)));
    await pump.next(Type.OK);
    assert.equal(properties.watched, 2);
    pump.send(propertyStart(6, 'a'));
    await pump.next(Type.OK);
    await properties.set(OWNER, 'b', 1);
    await properties.set(OWNER, 'a', 2);
    await pump.barrier();
    assert.deepEqual([samples(pump, 5), samples(pump, 6)], [[], [2]]);
    pump.wire.cut();
    await pump.closed;
    await bench.broker.clock.settle();
    assert.equal(properties.watched, 0);
  });

  it('is refused for what is no property, and follows all where none is named', async () => {
    const { bench, pump } = await scene({ store: await open() });
    for (const name of ['', 'a b', 5, null, {}, ['a'], 'x'.repeat(65)]) {
      pump.send(propertyStart(5, name, true));
      assert.equal((await pump.next(Type.ERROR)).parameters, 400);
    }
    assert.equal(bench.services.properties.watched, 0);
    const filters = { device: 'pump' };
    const parameters = { event: 'device_property_update', current: true, filters };
    pump.send(message(Type.START_STREAM, varintField(1, 6), psonField(2, parameters), varintField(4, 8)));
    await pump.next(Type.OK);
    await bench.services.properties.set({ user: 'anna', device: 'pump' }, 'level', 5);
    await pump.barrier();
    const [event] = samples(pump, 6) as Record<string, unknown>[];
    assert.deepEqual([event?.event, event?.property, event?.value], [parameters.event, 'level', 5]);
  });

  it('never misses a value nor brings an old one after a new one, whenever it begins', async () => {
    const { bench, pump } = await scene({ store: await open() });
    const { properties } = bench.services;
    let last = 0;
    let id = 0;
    // What happens between two turns of the event loop: `true` subscribes, a number is so many sets.
    const turns = fc.array(fc.array(fc.oneof(fc.constant(true), fc.integer({ min: 1, max: 5 }))), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(turns, async (script) => {
        const writes: Promise<unknown>[] = [];
        const first = id + 1;
        for (const turn of script) {
          for (const step of turn) {
            if (step === true) pump.send(propertyStart(++id, 'x', true));
            else for (let n = 0; n < step; n++) writes.push(properties.set(OWNER, 'x', ++last));
          }
          await new Promise(setImmediate);
        }
        await Promise.all(writes);
        for (let one = first; one <= id; one++) await pump.next(Type.OK);
        await pump.barrier();
        for (let one = first; one <= id; one++) {
          const answer = pump.all(Type.OK).find((ok) => ok.id === one);
          const seen = [answer?.payload ?? 0, ...samples(pump, one)] as number[];
          const sorted = [...seen].sort((a, b) => a - b);
          assert.deepEqual(seen, sorted, 'nothing old after something new');
          assert.equal(seen.at(-1), last, 'nothing missed');
          assert.ok(
            seen.slice(2).every((value, index) => value === seen[index + 1]! + 1),
            'no gap',
          );
          pump.send(message(Type.STOP_STREAM, varintField(1, one)));
          await pump.next(Type.OK);
        }
        pump.received.length = 0;
      }),
      { numRuns: 40 },
    );
  });
});

/** A store whose reads of properties are answered when the test says so, with what it says. */
async function heldStore(): Promise<{ store: Store; reads: ((found: Property | undefined) => void)[] }> {
  const store = await openStore({ memory: true });
  const reads: ((found: Property | undefined) => void)[] = [];
  const { properties } = store;
  const get = (): Promise<Property | undefined> => new Promise((resolve) => reads.push(resolve));
  const held = {
    ...store,
    get fault() {
      return store.fault;
    },
    properties: {
      get,
      set: properties.set.bind(properties),
      merge: properties.merge.bind(properties),
      list: properties.list.bind(properties),
      remove: properties.remove.bind(properties),
      clear: properties.clear.bind(properties),
    },
  };
  return { store: held, reads };
}

describe('subscription to a property with its current value', () => {
  it('has what changed meanwhile in its OK, whatever was read', async () => {
    const { store, reads } = await heldStore();
    const { bench, pump } = await scene({ store });
    const { properties } = bench.services;
    await properties.set(OWNER, 'x', 1);
    const old = (await store.properties.list(OWNER))[0];
    pump.send(propertyStart(5, 'x', true));
    await pump.barrier();
    await properties.set(OWNER, 'x', 2);
    await properties.set(OWNER, 'x', 3);
    assert.equal(reads.length, 1);
    reads[0]?.(old);
    assert.equal((await pump.next(Type.OK)).payload, 3);
    await properties.set(OWNER, 'x', 4);
    await pump.barrier();
    assert.deepEqual(samples(pump, 5), [4]);
  });

  it('has nothing in its OK when the property was removed meanwhile', async () => {
    const { store, reads } = await heldStore();
    const { bench, pump } = await scene({ store });
    await bench.services.properties.set(OWNER, 'x', 1);
    const old = (await store.properties.list(OWNER))[0];
    pump.send(propertyStart(5, 'x', true));
    await pump.barrier();
    await bench.services.properties.remove(OWNER, 'x');
    reads[0]?.(old);
    assert.deepEqual(gist(await pump.next(Type.OK)), ['OK', undefined, undefined]);
  });

  it('leaves nothing behind when its device goes while the value is read', async () => {
    const { store, reads } = await heldStore();
    const { bench, pump } = await scene({ store });
    pump.send(propertyStart(5, 'x', true));
    await pump.barrier();
    assert.equal(bench.services.properties.watched, 1);
    pump.wire.cut();
    await pump.closed;
    await bench.broker.clock.settle();
    assert.equal(bench.services.properties.watched, 0);
    reads[0]?.(undefined);
    await bench.broker.clock.settle();
  });

  it('waits for what is being written when it comes, without a read', async () => {
    const { store, reads } = await heldStore();
    const { pump } = await scene({ store });
    pump.send(
      Buffer.concat([
        serviceRun('A', SET, 'x', { id: 1, payload: 1 }),
        serviceRun('A', SET, 'x', { id: 2, payload: 2 }),
        propertyStart(5, 'x', true),
      ]),
    );
    for (const id of [1, 2]) assert.equal((await pump.next(Type.OK)).id, id);
    const answer = await pump.next(Type.OK);
    assert.equal(answer.id, 5);
    await pump.barrier();
    assert.deepEqual([answer.payload, ...samples(pump, 5)].at(-1), 2);
    assert.equal(reads.length, 0);
  });
});

describe('subscription of a client to a property', () => {
  it('brings the current value at once and after every reconnect, and each change', async () => {
    const { bench } = await scene();
    const { properties } = bench.services;
    await properties.set(OWNER, 'x', 1);
    const client = await connectClient(bench.broker, PUMP);
    const heard: unknown[] = [];
    const watch = client.watchProperty('x', { onSample: (value) => heard.push(value) });
    await bench.broker.until(() => heard.length === 1);
    await properties.set(OWNER, 'x', 2);
    await bench.broker.clock.settle();
    assert.deepEqual(heard, [1, 2]);
    bench.broker.server.device(PUMP)?.close();
    await bench.broker.clock.settle();
    await properties.set(OWNER, 'x', 3);
    await bench.broker.clock.advance(60_000);
    assert.equal(client.state, 'open');
    // The current value is read in the thread of the store.
    await bench.broker.until(() => heard.length === 3);
    assert.deepEqual(heard, [1, 2, 3]);
    await watch.close();
    await properties.set(OWNER, 'x', 4);
    assert.deepEqual(heard, [1, 2, 3]);
    assert.equal(properties.watched, 0);
  });

  it('may leave out the current value', async () => {
    const { bench } = await scene();
    await bench.services.properties.set(OWNER, 'x', 1);
    const client = await connectClient(bench.broker, PUMP);
    const heard: unknown[] = [];
    client.watchProperty('x', { onSample: (value) => heard.push(value) }, { current: false });
    await bench.broker.clock.settle();
    await bench.services.properties.set(OWNER, 'x', 2);
    await bench.broker.clock.settle();
    assert.deepEqual(heard, [2]);
  });
});
