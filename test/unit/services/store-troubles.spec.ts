import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { StorageError } from '../../../src/errors';
import { ServerServices } from '../../../src/services/server-services';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { openFileStore, temporaryFolder } from '../store/support/stores';
import { BrokerBench } from '../support/broker-fixture';
import { Type } from '../support/raw-message';
import { propertyStart, scene } from './store-support';
import { ask, gist, serviceRun } from './support';

const OWNER = { user: 'anna', device: 'pump' };

/** A store in memory that fails while the test says so. */
async function fragileStore(): Promise<{
  store: Store;
  setFault: (fault: StorageError | undefined) => void;
}> {
  const memory = await openStore({ memory: true });
  let fault: StorageError | undefined;
  const failing = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown =>
          fault === undefined ? Reflect.apply(method, target, args) : Promise.reject(fault);
      },
    });
  const store: Store = {
    ...memory,
    get fault() {
      return fault;
    },
    properties: failing(memory.properties),
    buckets: failing(memory.buckets),
  };
  return {
    store,
    setFault: (next) => {
      fault = next;
    },
  };
}

describe('services with a store that fails', () => {
  it('refuse what needs it with 503 or 507, tell of it, and do everything else', async () => {
    const { store, setFault } = await fragileStore();
    const { bench, pump, takeEvents } = await scene({ store });
    assert.equal((await ask(pump, 'A', 2, 'x', 1)).type, Type.OK);
    takeEvents();
    setFault(new StorageError('io', '/home/anna/iotmp/server.db: the disk failed'));
    // Where the file is, is nobody's concern outside.
    const failed = 'the storage of the server fails: the disk failed';
    const full = 'the storage of the server fails: no space is left';
    const refusal = ['ERROR', 503, { error: failed }];
    assert.deepEqual(gist(await ask(pump, 'A', 1, 'x')), refusal);
    assert.deepEqual(gist(await ask(pump, 'B', 2, 'x', 2)), refusal);
    assert.deepEqual(gist(await ask(pump, 'A', 5, 'b', { n: 1 })), refusal);
    pump.send(propertyStart(5, 'x', true));
    assert.deepEqual(gist(await pump.next(Type.ERROR)), refusal);
    assert.equal(bench.services.properties.watched, 0);
    pump.send(propertyStart(6, 'x'));
    assert.equal((await pump.next(Type.OK)).id, 6, 'changes can still be waited for');
    assert.equal((await ask(pump, 'A', 6, 'crane')).type, Type.OK, 'locks need no store');
    setFault(new StorageError('full', 'the disk is full'));
    assert.deepEqual(gist(await ask(pump, 'A', 2, 'x', 2)), ['ERROR', 507, { error: full }]);
    setFault(undefined);
    assert.deepEqual(gist(await ask(pump, 'A', 1, 'x')), ['OK', undefined, 1]);
    assert.deepEqual(
      takeEvents().filter(({ event }) => event !== 'device_service_refused'),
      [
        { event: 'storage_fault', user: 'anna', reason: 'io', error: failed },
        { event: 'storage_fault', user: 'anna', reason: 'full', error: full },
        { event: 'storage_recovered', user: 'anna' },
      ],
    );
    assert.deepEqual(bench.broker.warnings, [
      'the store fails: /home/anna/iotmp/server.db: the disk failed',
      'the store fails: the disk is full',
      'the store works again',
    ]);
    assert.equal(bench.takeRefusals().length, 5);
  });

  it('take up saved buckets and remove old rows when it works again', async () => {
    const { store, setFault } = await fragileStore();
    const config = { source: 'device', device: 'pump', resource: 't' };
    await store.buckets.define({ user: 'anna', bucket: 'fed' }, { config, retention: { count: 1 } });
    setFault(new StorageError('io', 'the disk failed'));
    const { bench } = await scene({ store });
    const { clock, warnings } = bench.broker;
    await clock.settle();
    assert.equal(bench.services.buckets.feeds, 0);
    await clock.advance(30_000);
    setFault(undefined);
    await clock.advance(30_000);
    await bench.broker.until(() => bench.services.buckets.feeds === 1);
    setFault(new StorageError('io', 'the disk failed'));
    await clock.advance(60_000);
    assert.equal(warnings.filter((text) => text.startsWith('old rows could not be removed')).length, 1);
    setFault(undefined);
    await clock.advance(3_600_000);
    assert.equal(warnings.filter((text) => text.startsWith('old rows')).length, 1);
  });
});

describe('services with a store that cannot be opened', () => {
  it('refuse what needs it with 503, for ever, and do everything else', async () => {
    const folder = temporaryFolder();
    const { bench, pump, takeEvents } = await scene({ store: openStore({ file: folder }) });
    assert.equal((await ask(pump, 'A', 2, 'x', 1)).parameters, 503);
    assert.equal((await ask(pump, 'B', 1, 'x')).parameters, 503);
    assert.equal((await ask(pump, 'B', 5, 'x', { n: 1 })).parameters, 503);
    assert.equal((await ask(pump, 'A', 6, 'crane')).type, Type.OK);
    await assert.rejects(bench.services.properties.get(OWNER, 'x'), { code: 'IOTMP_ERR_STORAGE' });
    const faults = takeEvents().filter(({ event }) => event === 'storage_fault');
    assert.deepEqual(
      faults.map(({ reason }) => reason),
      ['unavailable'],
    );
  });

  it('say the same of options that are not usable', async () => {
    const { pump } = await scene({ store: openStore({ memory: true, limits: { valueSize: 0 } }) });
    assert.equal((await ask(pump, 'A', 2, 'x', 1)).parameters, 503);
  });
});

describe('services with a store that is still opening', () => {
  it('wait for it, and keep the order', async () => {
    const opening = Promise.withResolvers<Store>();
    const { bench, pump } = await scene({ store: opening.promise });
    for (const id of [1, 2, 3]) pump.send(serviceRun('A', 2, 'x', { id, payload: id }));
    pump.send(serviceRun('A', 1, 'x', { id: 4 }));
    await pump.barrier();
    assert.equal(pump.all(Type.OK).length, 1, 'the login');
    opening.resolve(await openStore({ memory: true }));
    const answers = new Map<number | undefined, unknown>();
    while (answers.size < 4) {
      const { id, payload } = await pump.next(Type.OK);
      answers.set(id, payload);
    }
    assert.equal(answers.get(4), 3, 'a read after sets sees them');
    assert.deepEqual(bench.broker.warnings, []);
  });
});

describe('services that end', () => {
  it('keep every write that was acknowledged, when all stops in the middle of many', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const store = await openStore({ file });
    const bench = await BrokerBench.start();
    const services = new ServerServices(bench.server, { store, buckets: { clock: bench.clock } });
    const pump = await bench.device();
    await services.buckets.define({ user: 'anna', bucket: 'b' }, {});
    for (let id = 1; id <= 200; id++) {
      pump.send(
        serviceRun('A', id % 2 === 0 ? 2 : 5, id % 2 === 0 ? `p${id}` : 'b', { id, payload: { id } }),
      );
      if (id % 40 === 0) await new Promise(setImmediate);
    }
    await pump.next(Type.OK);
    services.close();
    await Promise.all([store.close(), bench.server.close()]);
    const acknowledged = pump.all(Type.OK).flatMap(({ id = 0 }) => (id <= 200 ? [id] : []));
    assert.ok(acknowledged.length > 0);

    const again = await openFileStore({ file });
    const properties = await again.properties.list(OWNER, { limit: 1000 });
    const { rows } = await again.buckets.range({ user: 'anna', bucket: 'b' });
    const kept = new Set([...properties, ...rows].map(({ value }) => (value as { id: number }).id));
    assert.deepEqual(
      acknowledged.filter((id) => !kept.has(id)),
      [],
    );
  });

  it('hand over rows of a device that came before the end', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const store = await openStore({ file });
    const bench = await BrokerBench.start();
    const services = new ServerServices(bench.server, { store, buckets: { clock: bench.clock } });
    const pump = await bench.device();
    pump.resources.set('t', { fn: 3, run: () => null });
    const config = { source: 'device', device: 'pump', resource: 't', update: 'events' };
    await services.buckets.define({ user: 'anna', bucket: 'b' }, { config });
    await bench.until(() => pump.streams.size === 1);
    const [id = 0] = pump.streams.keys();
    for (let n = 0; n < 50; n++) pump.sample(id, { n });
    await pump.barrier();
    services.close();
    await store.close();
    const again = await openFileStore({ file });
    assert.equal((await again.buckets.get({ user: 'anna', bucket: 'b' }))?.rows, 50);
  });

  it('end their own store, but nobody else’s', async () => {
    const bench = await BrokerBench.start();
    const own = new ServerServices(bench.server);
    await own.properties.set(OWNER, 'x', 1);
    own.close();
    await assert.rejects(own.properties.get(OWNER, 'x'), { code: 'IOTMP_ERR_CLOSED' });
    const store = await openStore({ memory: true });
    new ServerServices(bench.server, { store }).close();
    await store.properties.set(OWNER, 'x', 1);
    await store.close();
  });
});
