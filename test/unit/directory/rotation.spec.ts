import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Directory } from '../../../src/directory/directory';
import { StorageError } from '../../../src/errors';
import type { DocumentStore } from '../../../src/store/document-store';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';

const ROW = { ...PUMP, next: 'newer' };
const NEW = { ...PUMP, credential: 'newer' };
const VALVE = { user: 'anna', device: 'valve', credential: 'old-turn' };
const NEW_VALVE = { ...VALVE, credential: 'new-turn' };
const FULL = new StorageError('full', 'no space is left');

/** A store in memory that cannot write with `disk.fault`. */
async function newStore() {
  const store = await openStore({ memory: true });
  cleanUp(() => store.close());
  const disk: { fault: Error | undefined } = { fault: undefined };
  const { documents } = store;
  const put = async (...args: Parameters<DocumentStore['put']>): Promise<unknown> => {
    if (disk.fault !== undefined) throw disk.fault;
    return documents.put(...args);
  };
  const failing = new Proxy(documents, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'put') return put;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const faulty = new Proxy(store, {
    get: (target, name) => (name === 'documents' ? failing : (Reflect.get(target, name, target) as unknown)),
  });
  return { store: faulty, disk };
}

/** A server of its own, as after a restart, over the store. */
async function newServer(store: Store | Promise<Store>, devices: (typeof ROW | typeof PUMP)[] = [ROW]) {
  const directories: Directory[] = [];
  // Before that of the broker, which looks for timers that were left behind.
  cleanUp(() => Promise.all(directories.map((one) => one.close())));
  const broker = await BrokerBench.start({ devices });
  const lines: string[] = [];
  const directory = new Directory(broker.server, {
    store,
    clock: broker.clock,
    onWarning: (text) => lines.push(text),
  });
  directories.push(directory);
  const rotated: string[] = [];
  broker.server.events.listen(({ event, device }) => {
    if (event === 'device_credential_rotate') rotated.push(String(device));
  });
  return { broker, directory, rotated, lines };
}

function isRefused(login: Promise<unknown>): Promise<void> {
  return assert.rejects(login, /not let in/);
}

describe('the next credential of a device in the table', () => {
  it('is valid beside the first until its first login, which is told once and ends the first', async () => {
    const { store } = await newStore();
    const { broker, directory, rotated } = await newServer(store);
    await directory.start();
    await broker.device(PUMP);
    await broker.device(PUMP);
    await broker.device(NEW);
    await isRefused(broker.device(PUMP));
    await broker.device(NEW);
    assert.deepEqual(rotated, ['pump']);
  });

  it('stays the only one after a restart and a deploy of the unchanged row', async () => {
    const { store } = await newStore();
    const first = await newServer(store);
    await first.directory.start();
    await first.broker.device(NEW);
    await first.broker.server.configure(first.broker.options({ devices: [ROW] }));
    assert.equal(first.broker.server.deviceCount, 1);
    await isRefused(first.broker.device(PUMP));
    await first.directory.close();
    const second = await newServer(store);
    await second.directory.start();
    await isRefused(second.broker.device(PUMP));
    await second.broker.device(NEW);
    assert.deepEqual(second.rotated, []);
    await second.broker.server.configure(second.broker.options({ devices: [NEW] }));
    assert.equal(second.broker.server.deviceCount, 1, 'the row names the credential in use');
  });

  it('that is taken out of the row again ends, and the first is valid again', async () => {
    const { store } = await newStore();
    const { broker, directory } = await newServer(store);
    await directory.start();
    await broker.device(NEW);
    await broker.server.configure(broker.options({ devices: [PUMP] }));
    assert.equal(broker.server.deviceCount, 0);
    await isRefused(broker.device(NEW));
    await broker.device(PUMP);
    await broker.server.configure(broker.options({ devices: [ROW, LAMP] }));
    await broker.device(PUMP);
  });

  it('is the only one that is let in while the directory cannot be read, and is remembered when it can', async () => {
    const { store } = await newStore();
    const { broker, directory, rotated } = await newServer(store);
    await isRefused(broker.device(PUMP));
    await broker.device(NEW);
    await directory.start();
    await isRefused(broker.device(PUMP));
    assert.deepEqual(rotated, ['pump']);
    await directory.close();
    const second = await newServer(store);
    await second.directory.start();
    await isRefused(second.broker.device(PUMP));
  });

  it('lets in while the disk is full, and what is spent is written again until it is kept', async () => {
    const { store, disk } = await newStore();
    const { broker, directory, lines } = await newServer(store);
    await directory.start();
    disk.fault = FULL;
    await broker.device(NEW);
    await isRefused(broker.device(PUMP));
    await directory.devices.kept.settled();
    assert.match(lines.join('\n'), /rotation anna\/pump was revoked, but that is not kept/);
    assert.doesNotMatch(lines.join('\n'), /secret|newer/);
    disk.fault = undefined;
    await directory.handleRecovery();
    assert.equal(directory.revocations.size, 0);
    await directory.close();
    const second = await newServer(store);
    await second.directory.start();
    await isRefused(second.broker.device(PUMP));
  });

  it('wins whichever of two logins at once comes first', async () => {
    for (const logins of [
      [PUMP, NEW],
      [NEW, PUMP],
    ]) {
      const { store } = await newStore();
      const { broker, directory } = await newServer(store);
      await directory.start();
      await Promise.allSettled(logins.map((login) => broker.device(login)));
      await isRefused(broker.device(PUMP));
      await broker.device(NEW);
    }
  });
});

describe('the next credential of a device of the directory', () => {
  async function start() {
    const { store, disk } = await newStore();
    const server = await newServer(store, [PUMP]);
    await server.directory.start();
    const { devices } = server.directory;
    const record = await devices.create({ ...VALVE, type: 'Generic', credentials: VALVE.credential });
    await devices.update(record, { next_credentials: NEW_VALVE.credential });
    return { ...server, store, disk, devices };
  }

  it('is valid beside the other until its first login, which ends the other, also after a restart', async () => {
    const { broker, directory, devices, store, rotated } = await start();
    await broker.device(VALVE);
    await broker.device(NEW_VALVE);
    await isRefused(broker.device(VALVE));
    assert.deepEqual(rotated, ['valve']);
    const again = { credentials: VALVE.credential, next_credentials: NEW_VALVE.credential };
    await devices.update(devices.get(VALVE)!, again);
    await isRefused(broker.device(VALVE));
    assert.doesNotMatch(JSON.stringify(devices.get(VALVE)), /turn/);
    await directory.close();
    const second = await newServer(store, [PUMP]);
    await second.directory.start();
    await isRefused(second.broker.device(VALVE));
    await second.broker.device(NEW_VALVE);
  });

  it('is gone when it is taken back, or another credential is set', async () => {
    for (const change of [{ next_credentials: '' }, { credentials: 'third-turn' }]) {
      const { broker, devices } = await start();
      await devices.update(devices.get(VALVE)!, change);
      await isRefused(broker.device(NEW_VALVE));
    }
  });

  it('lets in while the disk is full, and ends the other at once', async () => {
    const { broker, directory, disk } = await start();
    disk.fault = FULL;
    await broker.device(NEW_VALVE);
    await directory.devices.kept.settled();
    await isRefused(broker.device(VALVE));
    await broker.device(NEW_VALVE);
    disk.fault = undefined;
    await directory.handleRecovery();
    assert.equal(directory.revocations.size, 0);
  });
});
