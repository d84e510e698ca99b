import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServerServices } from '../../../src/services/server-services';
import { rowOfSample } from '../../../src/services/buckets/bucket-source';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import type { Value } from '../../../src/types';
import { describeStores } from '../store/support/stores';
import { BrokerBench, LAMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { scene, type Scene } from './store-support';

const KEY = { user: 'anna', bucket: 'weather' };

function config(resource: string, more: Record<string, Value> = {}): { config: Record<string, Value> } {
  return {
    config: { source: 'device', device: 'pump', resource, update: 'interval', interval: 10, ...more },
  };
}

async function valuesOf({ bench }: Scene, bucket = KEY.bucket): Promise<Value[]> {
  const { rows } = await bench.services.buckets.range({ user: 'anna', bucket });
  return rows.map(({ value }) => value);
}

/** The id of the only stream that the device has open. */
function streamId(device: RawDevice): number {
  const [id, ...others] = device.streams.keys();
  assert.ok(id !== undefined && others.length === 0, 'one stream');
  return id;
}

/** Sends a sample, and lets it be written. */
async function send({ bench }: Scene, device: RawDevice, payload: unknown): Promise<void> {
  device.sample(streamId(device), payload);
  await device.barrier();
  await bench.services.buckets.list();
}

describe('row of a sample', () => {
  it('is the map itself, else the value under the name of its resource; of nothing there is none', () => {
    assert.deepEqual(rowOfSample('t', { a: 1 }), { a: 1 });
    assert.deepEqual(rowOfSample('gpio/4', false), { 'gpio/4': false });
    assert.deepEqual(rowOfSample('t', [1, 2]), { t: [1, 2] });
    for (const none of [undefined, null, {}]) assert.equal(rowOfSample('t', none), undefined);
  });
});

describeStores('bucket that is fed from a device', (open) => {
  it('gets its samples at its interval, however often the device comes and goes', async () => {
    const scenery = await scene({ store: await open({ now: () => 1000 }) });
    const { bench, pump, lamp, takeEvents } = scenery;
    lamp.resources.set('t', { fn: 3, run: () => ({ t: 0 }) });
    await bench.services.buckets.define(KEY, config('t', { device: 'lamp' }));
    await lamp.barrier();
    await bench.broker.clock.settle();
    const start = lamp.all(Type.START_STREAM).at(-1);
    assert.deepEqual([start?.resource, start?.parameters], ['t', { interval: 10_000 }]);
    await lamp.barrier();
    await bench.broker.clock.advance(10_000);
    await send(scenery, lamp, { t: 1 });
    lamp.wire.cut();
    await lamp.closed;
    await bench.broker.clock.settle();
    assert.equal(bench.services.buckets.sourceState(KEY)?.kind, 'offline');
    const again = new RawDevice(bench.broker.memory(), LAMP);
    again.resources.set('t', { fn: 3, run: () => ({ t: 2 }) });
    again.connect();
    await bench.broker.advanceUntil(() => again.streams.size === 1, 100);
    await again.barrier();
    await bench.services.buckets.list();
    assert.deepEqual(await valuesOf(scenery), [{ t: 0 }, { t: 1 }, { t: 2 }]);
    const { rows } = await bench.services.buckets.range(KEY, { limit: 1 });
    assert.deepEqual(rows, [{ ts: 1000, device: 'lamp', value: { t: 0 } }]);
    const writes = takeEvents().filter(({ event }) => event === 'bucket_write');
    assert.deepEqual(writes[0], {
      event: 'bucket_write',
      user: 'anna',
      device: 'lamp',
      bucket: 'weather',
      data: { device: 'lamp', t: 0 },
    });
    assert.equal(pump.acts.length, 0, 'the other device has no part in it');
  });

  it('gets the events of its device, and values that are no maps under the name of the resource', async () => {
    const scenery = await scene({ store: await open() });
    const { bench, pump } = scenery;
    pump.resources.set('gpio/4', { fn: 3, run: () => null });
    await bench.services.buckets.define(KEY, config('gpio/4', { update: 'events' }));
    await bench.broker.until(() => pump.streams.size === 1);
    assert.equal(pump.all(Type.START_STREAM)[0]?.parameters, undefined);
    for (const sample of [true, null, 2n ** 60n, {}, { a: 1 }]) await send(scenery, pump, sample);
    assert.deepEqual(await valuesOf(scenery), [{ 'gpio/4': true }, { 'gpio/4': 2n ** 60n }, { a: 1 }]);
  });

  it('is fed as its settings say, whenever they change, and not after its end', async () => {
    const scenery = await scene({ store: await open() });
    const { bench, pump } = scenery;
    const { buckets } = bench.services;
    for (const name of ['t', 'u']) pump.resources.set(name, { fn: 3, run: () => null });
    const fed = async (): Promise<string[]> => {
      for (let turn = 0; turn < 3; turn++) {
        await bench.broker.clock.settle();
        await pump.barrier();
      }
      return [...pump.streams.values()].map(({ resource, interval }) => `${resource} ${interval}`);
    };
    await buckets.define(KEY, config('t'));
    assert.deepEqual(await fed(), ['t 10000']);
    await buckets.update(KEY, { description: 'the same' });
    assert.deepEqual(await fed(), ['t 10000']);
    assert.equal(pump.all(Type.START_STREAM).length, 1);
    await buckets.update(KEY, { config: { interval: 5 } });
    assert.deepEqual(await fed(), ['t 5000']);
    await buckets.update(KEY, { config: { resource: 'u', interval: null } });
    assert.deepEqual(await fed(), ['u 60000']);
    await buckets.update(KEY, { enabled: false });
    assert.deepEqual([await fed(), buckets.feeds], [[], 0]);
    await buckets.update(KEY, { enabled: true });
    assert.deepEqual(await fed(), ['u 60000']);
    await buckets.update(KEY, { config: { update: 'none' } });
    assert.deepEqual(await fed(), []);
    await buckets.define(KEY, config('t'));
    assert.deepEqual(await fed(), ['t 10000']);
    await buckets.remove(KEY);
    assert.deepEqual([await fed(), buckets.feeds, buckets.sourceState(KEY)], [[], 0, undefined]);
    await buckets.define(KEY, config('t'));
    assert.deepEqual(await fed(), ['t 10000']);
    bench.services.close();
    assert.deepEqual([await fed(), buckets.feeds], [[], 0]);
  });

  it('is fed again after a restart, but an input only when somebody asks', async () => {
    const store = await open();
    const { bench, pump, takeEvents } = await scene({ store });
    const relay: unknown[] = [];
    pump.resources.set('t', { fn: 3, run: () => ({ t: 1 }) });
    pump.resources.set('relay', { fn: 2, run: (input) => void relay.push(input) });
    await bench.services.buckets.define(KEY, config('t'));
    await bench.services.buckets.define(
      { user: 'anna', bucket: 'relay' },
      config('relay', { update: 'events' }),
    );
    await bench.broker.until(() => pump.streams.size === 2);
    bench.services.close();
    await bench.broker.until(() => pump.streams.size === 0);
    relay.length = 0;
    takeEvents();

    const { clock, server } = bench.broker;
    const services = new ServerServices(server, { store, buckets: { clock } });
    await bench.broker.until(() => pump.streams.size === 1);
    await clock.settle();
    const held = { user: 'anna', bucket: 'relay' };
    assert.equal(services.buckets.feeds, 2);
    assert.equal(services.buckets.sourceState(held)?.kind, 'held');
    const faults = takeEvents().filter(({ event }) => event === 'bucket_source_fault');
    assert.deepEqual(faults, [
      {
        event: 'bucket_source_fault',
        ...held,
        device: 'pump',
        resource: 'relay',
        state: 'held',
        reason: 'the resource is no output: it is not opened unasked',
      },
    ]);
    assert.deepEqual(relay, [], 'nothing acted on it');
    await services.buckets.update(held, { description: 'saved again' });
    await bench.broker.until(() => pump.streams.size === 2);
    services.close();
  });

  it('that was changed while saved ones are taken up is as it was changed', async () => {
    const store = await open();
    for (const bucket of ['a', 'b', 'c']) await store.buckets.define({ user: 'anna', bucket }, config('t'));
    const bench = await BrokerBench.start();
    const { clock, server } = bench;
    const services = new ServerServices(server, { store, buckets: { clock } });
    await Promise.all([
      services.buckets.remove({ user: 'anna', bucket: 'a' }),
      services.buckets.define({ user: 'anna', bucket: 'b' }, {}),
    ]);
    await bench.until(() => services.buckets.feeds > 0);
    await clock.settle();
    assert.deepEqual(
      ['a', 'b', 'c'].map(
        (bucket) => services.buckets.sourceState({ user: 'anna', bucket })?.kind !== undefined,
      ),
      [false, false, true],
    );
    services.close();
  });

  it('tells once why rows are refused, and goes on', async () => {
    const scenery = await scene({ store: await open({ limits: { valueSize: 200 } }) });
    const { bench, pump, takeEvents } = scenery;
    pump.resources.set('t', { fn: 3, run: () => null });
    await bench.services.buckets.define(KEY, config('t', { update: 'events' }));
    await bench.broker.until(() => pump.streams.size === 1);
    takeEvents();
    const long = { t: 'x'.repeat(200) };
    for (const sample of [long, long, { t: 1 }, long]) await send(scenery, pump, sample);
    const events = takeEvents();
    assert.deepEqual(
      events.map(({ event }) => event),
      ['bucket_write_refused', 'bucket_write', 'bucket_write_refused'],
    );
    assert.deepEqual(events[0], {
      event: 'bucket_write_refused',
      ...KEY,
      device: 'pump',
      resource: 't',
      statusCode: 413,
      reason: events[0]?.reason,
    });
    assert.deepEqual(await valuesOf(scenery), [{ t: 1 }]);
  });

  it('is fed no more when somebody has removed it behind our back', async () => {
    const store = await open();
    const scenery = await scene({ store });
    const { bench, pump, takeEvents } = scenery;
    pump.resources.set('t', { fn: 3, run: () => null });
    await bench.services.buckets.define(KEY, config('t', { update: 'events' }));
    await bench.broker.until(() => pump.streams.size === 1);
    await store.buckets.remove(KEY);
    await send(scenery, pump, { t: 1 });
    await bench.broker.until(() => bench.services.buckets.feeds === 0);
    await bench.broker.until(() => pump.streams.size === 0);
    assert.equal(takeEvents().at(-1)?.statusCode, 404);
  });
});

/** A store whose writes of rows are answered when the test says so. */
async function heldStore(): Promise<{ store: Store; release: () => void; waiting: () => number }> {
  const store = await openStore({ memory: true });
  let resolvers: (() => void)[] = [];
  const buckets = Object.assign(Object.create(store.buckets) as Store['buckets'], {
    define: store.buckets.define.bind(store.buckets),
    list: store.buckets.list.bind(store.buckets),
    write: () =>
      new Promise((resolve) =>
        resolvers.push(() => resolve({ ts: [1], added: 1, pruned: 0, created: false })),
      ),
  });
  const release = (): void => {
    for (const resolve of resolvers) resolve();
    resolvers = [];
  };
  const held: Store = { ...store, fault: undefined, buckets };
  return { store: held, release, waiting: () => resolvers.length };
}

describe('bucket that is fed faster than its store writes', () => {
  it('refuses rows past a limit, says so once, and goes on when there is room', async () => {
    const { store, release, waiting } = await heldStore();
    const { bench, pump, takeEvents } = await scene({ store });
    pump.resources.set('t', { fn: 3, run: () => null });
    await bench.services.buckets.define(KEY, config('t', { update: 'events' }));
    await bench.broker.until(() => pump.streams.size === 1);
    takeEvents();
    for (let n = 0; n < 300; n++) pump.sample(streamId(pump), { n });
    await pump.barrier();
    assert.equal(waiting(), 64);
    assert.deepEqual(
      takeEvents().map(({ event, statusCode }) => [event, statusCode]),
      [['bucket_write_refused', 503]],
    );
    release();
    await pump.barrier();
    pump.sample(streamId(pump), { n: 300 });
    await pump.barrier();
    assert.equal(waiting(), 1);
    release();
    await bench.broker.clock.settle();
    assert.equal(takeEvents().length, 65);
  });
});

describe('bucket that cannot be fed', () => {
  it('tells why', async () => {
    const { bench, pump, takeEvents } = await scene();
    await bench.services.buckets.define(KEY, config('none'));
    await bench.broker.until(() => pump.all(Type.START_STREAM).length === 1);
    await bench.broker.clock.settle();
    const { event, state, reason } = takeEvents().at(-1) ?? {};
    assert.deepEqual([event, state, typeof reason], ['bucket_source_fault', 'failed', 'string']);
  });

  it('costs the others nothing, when its saved settings are not usable', async () => {
    const store = await openStore({ memory: true });
    await store.buckets.define({ user: 'anna', bucket: 'a' }, { config: { source: 'device' } });
    await store.buckets.define({ user: 'anna', bucket: 'b' }, config('t'));
    const bench = await BrokerBench.start();
    const services = new ServerServices(bench.server, { store, buckets: { clock: bench.clock } });
    await bench.until(() => services.buckets.feeds === 1);
    assert.deepEqual(bench.warnings, ['the bucket anna/a cannot be fed: config.device has to be a text']);
    services.close();
  });
});
