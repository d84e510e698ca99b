import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ServerOptions } from '../../../src/broker/broker-options';
import type { ServerEvent } from '../../../src/broker/event-feed';
import { Directory } from '../../../src/directory/directory';
import type { NamePatternDraft } from '../../../src/directory/provisioning/name-patterns';
import type { ProvisionedDevice } from '../../../src/directory/provisioning/provisioning';
import { StorageError } from '../../../src/errors';
import type { DocumentStore } from '../../../src/store/document-store';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { tcpWire } from '../support/raw-wire';

const KEY = 'the key of this line';
const DAY_MS = 86_400_000;
const LINE: NamePatternDraft = { id: 'line', user: 'anna', pattern: 'esp-*', key: KEY, until: 0 };
const BOARD = { user: 'anna', device: 'esp-1', credential: KEY } as const;
const KNOCKING = { user: 'anna', device: 'board', credential: 'own' } as const;
const HERE = '192.0.2.7';

/** A server with a directory over a store whose writes may be held back or fail. */
class Bench {
  readonly broker: BrokerBench;
  readonly directory: Directory;
  readonly store: Store;
  readonly provisioned: ProvisionedDevice[] = [];
  readonly events: ServerEvent[] = [];
  /** What a write waits for, before it is made. */
  beforeWrite: () => Promise<void> = () => Promise.resolve();
  time = Date.now();

  readonly #directories: Directory[];

  private constructor(broker: BrokerBench, store: Store, directories: Directory[]) {
    this.#directories = directories;
    this.broker = broker;
    this.store = store;
    this.directory = this.newDirectory();
    this.directory.on('provisioned', (device) => this.provisioned.push(device));
    cleanUp(broker.server.events.listen((event) => this.events.push(event)));
  }

  static async start(options: ServerOptions = {}): Promise<Bench> {
    const directories: Directory[] = [];
    // Before that of the broker, which looks for timers that were left behind.
    cleanUp(() => Promise.all(directories.map((one) => one.close())));
    const store = await openStore({ memory: true });
    cleanUp(() => store.close());
    const broker = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0, ...options });
    const bench = new Bench(broker, store, directories);
    await bench.directory.start();
    return bench;
  }

  get provisioning(): Directory['provisioning'] {
    return this.directory.provisioning;
  }

  newDirectory(): Directory {
    const documents: DocumentStore = new Proxy(this.store.documents, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        if (name !== 'put') return call;
        return async (...args: unknown[]) => {
          await this.beforeWrite();
          return call(...args);
        };
      },
    });
    const store: Store = new Proxy(this.store, {
      get: (target, name) => (name === 'documents' ? documents : (Reflect.get(target, name) as unknown)),
    });
    const { server, clock } = this.broker;
    const made = new Directory(server, { store, clock, now: () => this.time });
    this.#directories.push(made);
    return made;
  }

  /** A pattern that is on, until tomorrow. */
  async pattern(draft: Partial<NamePatternDraft> = {}): Promise<void> {
    const { patterns } = this.provisioning;
    const made = await patterns.create({ ...LINE, until: this.time + DAY_MS, ...draft });
    await patterns.update(made, { enabled: true });
  }

  login(id: object, from = `${HERE}:4711`): Promise<RawDevice> {
    return this.broker.device(id, this.broker.memory({ remoteAddress: from }));
  }

  /** Begins a login, and does not wait for the answer. */
  begin(id: object, from = `${HERE}:4711`): RawDevice {
    const device = new RawDevice(this.broker.memory({ remoteAddress: from }), id);
    device.connect();
    return device;
  }

  async refusal(id: object, from?: string): Promise<string> {
    await assert.rejects(this.login(id, from), /not let in/);
    const { reason, text } = this.broker.refusedLogins.at(-1)!;
    return `${reason}: ${text}`;
  }
}

const WRONG = 'credentials: wrong user, device or credential';

describe('a pattern of names', () => {
  it('registers a device by its first login, whose credential is its own from then on', async () => {
    const bench = await Bench.start();
    await bench.pattern();
    await bench.login(BOARD);
    const record = bench.directory.devices.get(BOARD);
    assert.equal(record?.provisioning, 'line');
    assert.ok(!JSON.stringify(record).includes(KEY));
    assert.equal(await bench.refusal({ ...BOARD, credential: 'other' }), WRONG);
    // Another key lets in new devices, and takes nothing from those that are there.
    const line = bench.provisioning.patterns.get('anna', 'line')!;
    await bench.provisioning.patterns.update(line, { key: 'another key of the line' });
    await bench.login(BOARD);
    assert.equal(await bench.refusal({ ...BOARD, device: 'esp-2' }), WRONG);
    await bench.directory.devices.update(record, { credentials: 'rotated' });
    assert.equal(await bench.refusal(BOARD), WRONG);
  });

  it('is told by events and to its owner, without the credential', async () => {
    const bench = await Bench.start();
    await bench.pattern();
    await bench.login(BOARD);
    const expected = { user: 'anna', device: 'esp-1', address: `${HERE}:4711`, pattern: 'line' };
    assert.deepEqual(bench.provisioned, [{ ...expected, isReplacement: false }]);
    const names = bench.events.map(({ event }) => event);
    assert.deepEqual(names, ['device_create', 'device_provision', 'device_state_change']);
    assert.ok(!JSON.stringify(bench.events).includes(KEY));
  });

  it('lets in nobody while it is off, with another key, name, case or user', async () => {
    const bench = await Bench.start();
    const { patterns } = bench.provisioning;
    const made = await patterns.create({ ...LINE, until: bench.time + DAY_MS });
    assert.equal(await bench.refusal(BOARD), WRONG);
    const on = await patterns.update(made, { enabled: true });
    const others = [
      { credential: 'the key of this lime' },
      { device: 'lamp-1' },
      { device: 'ESP-1' },
      { device: 'esp-é' },
      { device: 'esp-../x' },
      { device: `esp-${'x'.repeat(40)}` },
      { user: 'Anna' },
      { user: 'eve' },
      { user: 'anonymous' },
    ];
    for (const [index, other] of others.entries()) {
      // From an address each, as the brake would take them for guesses.
      assert.equal(await bench.refusal({ ...BOARD, ...other }, `192.0.2.${index + 10}:1`), WRONG);
    }
    await patterns.update(on, { enabled: false });
    assert.equal(await bench.refusal({ ...BOARD, device: 'esp-3' }), WRONG);
    assert.deepEqual(bench.provisioned, []);
  });

  it('cannot fit every name, nor have a short key, a past or far end, or the user of strangers', async () => {
    const bench = await Bench.start();
    const { patterns } = bench.provisioning;
    const draft = { ...LINE, until: bench.time + DAY_MS };
    const wrong = [
      { pattern: '*' },
      { pattern: '*a*b*' },
      { pattern: '' },
      { pattern: 'esp ?' },
      { pattern: 'ésp-*' },
      { key: 'too short' },
      { until: bench.time },
      { until: bench.time + 367 * DAY_MS },
      { until: Number.NaN },
      { user: 'anonymous' },
    ];
    for (const other of wrong) {
      await assert.rejects(patterns.create({ ...draft, ...other }), { code: 'IOTMP_ERR_CONFIG' });
    }
    await patterns.create(draft);
    await assert.rejects(patterns.create(draft), { code: 'IOTMP_ERR_CONFLICT' });
    for (let made = 1; made < 32; made++) await patterns.create({ ...draft, id: `line${made}` });
    await assert.rejects(patterns.create({ ...draft, id: 'more' }), { code: 'IOTMP_ERR_QUOTA' });
  });

  it('ends by its date, and not before it began, wherever the clock goes', async () => {
    const bench = await Bench.start();
    const begin = bench.time;
    await bench.pattern();
    bench.time = begin + DAY_MS;
    assert.equal(await bench.refusal(BOARD), WRONG);
    bench.time = 0;
    assert.equal(await bench.refusal({ ...BOARD, device: 'esp-2' }), WRONG);
    bench.time = begin + DAY_MS - 1;
    await bench.login({ ...BOARD, device: 'esp-3' });
    bench.time = begin - 1000;
    await bench.login({ ...BOARD, device: 'esp-4' });
  });

  it('does not let in again a device that was removed', async () => {
    const bench = await Bench.start();
    await bench.pattern();
    await bench.login(BOARD);
    await bench.directory.devices.remove(BOARD);
    assert.equal(await bench.refusal(BOARD), WRONG);
    await bench.directory.close();
    const again = bench.newDirectory();
    await again.start();
    await bench.broker.clock.advance(10_000);
    assert.equal(await bench.refusal(BOARD), WRONG);
    await bench.login({ ...BOARD, device: 'esp-2' });
  });

  it('has at most 1,000 devices, those included that were removed', async () => {
    const bench = await Bench.start();
    await bench.pattern();
    const { devices } = bench.directory;
    for (let made = 1; made <= 999; made++) {
      const draft = { user: 'anna', device: `esp-${made}`, type: 'Generic', credentials: 'x' };
      await devices.create({ ...draft, provisioning: 'line' });
    }
    await devices.remove(BOARD);
    await bench.login({ ...BOARD, device: 'esp-1000' });
    const refused = await bench.refusal({ ...BOARD, device: 'esp-1001' });
    assert.equal(refused, 'failed: pattern line has let in as many devices as allowed');
    assert.equal(devices.has({ user: 'anna', device: 'esp-1001' }), false);
  });

  it('registers 50 devices at once and 5 a second', async () => {
    const bench = await Bench.start();
    await bench.pattern();
    for (let made = 1; made <= 50; made++) await bench.login({ ...BOARD, device: `esp-${made}` });
    const refused = await bench.refusal({ ...BOARD, device: 'esp-51' });
    assert.equal(refused, 'failed: too many devices are being registered: try again later');
    await bench.broker.clock.advance(200);
    await bench.login({ ...BOARD, device: 'esp-51' });
  });

  it('has its guesses counted by the brake as all others', async () => {
    const bench = await Bench.start();
    await bench.pattern();
    for (let guess = 0; guess < 50; guess++) {
      assert.equal(
        await bench.refusal({ ...BOARD, device: `esp-${guess}`, credential: `guess ${guess}` }),
        WRONG,
      );
    }
    const device = bench.begin({ ...BOARD, device: 'esp-77' });
    await bench.broker.clock.settle();
    assert.equal(device.ended, true);
    assert.equal(bench.broker.server.blockedAddresses[0]?.address, HERE);
  });
});

describe('a login that is awaited', () => {
  it('is accepted once, by name and address, and its credential is kept', async () => {
    const bench = await Bench.start();
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: `${HERE}:80` });
    assert.equal(await bench.refusal(KNOCKING, '192.0.2.8:1'), WRONG);
    assert.equal(await bench.refusal({ ...KNOCKING, device: 'Board' }), WRONG);
    assert.equal(await bench.refusal({ ...KNOCKING, user: 'eve' }), WRONG);
    await bench.login(KNOCKING, `::ffff:${HERE}:9`);
    assert.deepEqual(bench.provisioning.windows, []);
    assert.equal(await bench.refusal({ ...KNOCKING, credential: 'another' }), WRONG);
    await bench.login(KNOCKING, '198.51.100.1:1');
    assert.equal(bench.provisioned.length, 1);
  });

  it('counts the network of an IPv6 address', async () => {
    const bench = await Bench.start();
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: '2001:db8::1' });
    assert.equal(await bench.refusal(KNOCKING, '[2001:db8:0:1::2]:1'), WRONG);
    await bench.login(KNOCKING, '[2001:db8::ffff]:1');
  });

  it('is not accepted after two minutes, nor once it is cancelled', async () => {
    const bench = await Bench.start();
    const { provisioning } = bench;
    provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    await bench.broker.clock.advance(120_000);
    assert.equal(await bench.refusal(KNOCKING), WRONG);
    const { id } = provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    assert.equal(provisioning.cancel(id), true);
    assert.equal(provisioning.cancel(id), false);
    assert.equal(await bench.refusal(KNOCKING), WRONG);
    provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    await bench.broker.clock.advance(119_999);
    await bench.login(KNOCKING);
  });

  it('replaces a device only where that was asked for, and ends its old credential at once', async () => {
    const bench = await Bench.start();
    const { provisioning } = bench;
    await bench.directory.devices.create({ ...KNOCKING, type: 'Generic', credentials: 'old' });
    const old = await bench.login({ ...KNOCKING, credential: 'old' });
    const request = { ...KNOCKING, address: HERE };
    assert.throws(() => provisioning.acceptNextLogin(request), { code: 'IOTMP_ERR_CONFLICT' });
    provisioning.acceptNextLogin({ ...request, replace: true });
    // The board that is to be replaced still has its credential, and does not use up what is meant for the new one.
    const again = await bench.login({ ...KNOCKING, credential: 'old' });
    assert.equal(provisioning.windows.length, 1);
    await bench.login(KNOCKING);
    await bench.broker.clock.settle();
    assert.deepEqual([old.ended, again.ended], [true, true]);
    assert.equal(await bench.refusal({ ...KNOCKING, credential: 'old' }), WRONG);
    assert.equal(bench.provisioned.at(-1)?.isReplacement, true);
  });

  it('is not of a device of the settings, one that is locked out, one to replace that is not there, or a name of nobody', async () => {
    const bench = await Bench.start();
    const { provisioning, directory } = bench;
    const accept = (id: object) => () => provisioning.acceptNextLogin({ ...KNOCKING, address: HERE, ...id });
    assert.throws(accept({ ...PUMP, replace: true }), { code: 'IOTMP_ERR_CONFLICT' });
    assert.throws(accept({ replace: true }), { code: 'IOTMP_ERR_NOT_FOUND' });
    await directory.devices.create({ user: 'anna', device: 'off', type: 'Generic', enabled: false });
    assert.throws(accept({ device: 'off', replace: true }), { code: 'IOTMP_ERR_CONFLICT' });
    for (const device of ['', ' x', 'a/../b', 'nul\0', 'x'.repeat(256)]) {
      assert.throws(accept({ device }), { code: 'IOTMP_ERR_CONFIG' });
    }
    assert.throws(accept({ user: 'anonymous' }), { code: 'IOTMP_ERR_CONFIG' });
    for (const address of ['', 'memory', 'example.org', '192.0.2.7/24', '*']) {
      assert.throws(accept({ address }), { code: 'IOTMP_ERR_CONFIG' });
    }
    assert.deepEqual(provisioning.windows, []);
  });

  it('is one of 100 at most; one of the same device and address begins anew', async () => {
    const bench = await Bench.start();
    const open = (device: string) =>
      bench.provisioning.acceptNextLogin({ user: 'anna', device, address: HERE });
    for (let made = 0; made < 100; made++) open(`b${made}`);
    assert.throws(() => open('b100'), { code: 'IOTMP_ERR_BUSY' });
    open('b99');
    assert.equal(bench.provisioning.windows.length, 100);
    await bench.broker.clock.advance(120_000);
    open('b100');
    assert.equal(bench.provisioning.windows.length, 1);
  });

  it('is not accepted without a credential, as then anybody could log in', async () => {
    const bench = await Bench.start();
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    const refused = await bench.refusal({ ...KNOCKING, credential: '' });
    assert.equal(refused, 'failed: a device without a credential is not registered');
    await bench.login(KNOCKING);
  });

  it('comes by the address that a trusted proxy names', async () => {
    const bench = await Bench.start({ trustedProxies: ['127.0.0.1'] });
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    const through = async (client: string): Promise<RawDevice> => {
      const wire = bench.broker.track(await tcpWire(bench.broker.port()));
      wire.write(Buffer.from(`PROXY TCP4 ${client} 127.0.0.1 4711 25204\r\n`));
      return bench.broker.device(KNOCKING, wire);
    };
    await assert.rejects(through('127.0.0.1'), /not let in/);
    await through(HERE);
  });
});

describe('a device that is being registered', () => {
  it('is let in when its record is kept, and others of its name wait for that', async () => {
    const bench = await Bench.start();
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    const kept = Promise.withResolvers<undefined>();
    bench.beforeWrite = () => kept.promise;
    const first = bench.begin(KNOCKING);
    const same = bench.begin(KNOCKING, '198.51.100.2:1');
    const other = bench.begin({ ...KNOCKING, credential: 'other' });
    await bench.broker.clock.settle();
    for (const device of [first, same, other]) assert.equal(device.chunks.length, 0);
    assert.equal(bench.broker.server.deviceCount, 0);
    kept.resolve(undefined);
    await bench.broker.until(() => [first, same, other].every(({ chunks }) => chunks.length > 0));
    assert.deepEqual(
      bench.broker.refusedLogins.map(({ text }) => text),
      ['wrong user, device or credential'],
    );
    assert.equal(bench.provisioned.length, 1);
  });

  it('is refused when its record cannot be kept, and may come again', async () => {
    const bench = await Bench.start();
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    await bench.pattern();
    bench.beforeWrite = () => Promise.reject(new StorageError('full', 'the disk is full'));
    assert.equal(await bench.refusal(KNOCKING), 'failed: the disk is full');
    assert.equal(await bench.refusal(BOARD), 'failed: the disk is full');
    assert.equal(bench.directory.devices.has(KNOCKING), false);
    assert.equal(bench.provisioned.length, 0);
    bench.beforeWrite = () => Promise.resolve();
    await bench.login(KNOCKING);
    await bench.login(BOARD);
  });

  it('is kept although its connection ends meanwhile', async () => {
    const bench = await Bench.start();
    bench.provisioning.acceptNextLogin({ ...KNOCKING, address: HERE });
    const kept = Promise.withResolvers<undefined>();
    bench.beforeWrite = () => kept.promise;
    const first = bench.begin(KNOCKING);
    await bench.broker.clock.settle();
    first.wire.cut();
    await bench.broker.clock.settle();
    kept.resolve(undefined);
    await bench.login(KNOCKING);
  });
});

describe('names while anybody may come in', () => {
  it('never get in with a wrong credential where they are registered: in the settings, in the directory, disabled', async () => {
    const bench = await Bench.start({ anonymous: true });
    const { devices } = bench.directory;
    await devices.create({ ...KNOCKING, type: 'Generic', credentials: 'own' });
    const off = { user: 'anna', device: 'off' };
    await devices.create({ ...off, type: 'Generic', credentials: 'own', enabled: false });
    await devices.create({ user: 'anna', device: 'web', type: 'HTTP' });
    assert.equal(await bench.refusal({ ...PUMP, credential: 'wrong' }), WRONG);
    assert.equal(await bench.refusal({ ...KNOCKING, credential: 'wrong' }), WRONG);
    assert.equal(await bench.refusal({ ...off, credential: 'own' }), WRONG);
    assert.equal(await bench.refusal({ user: 'anna', device: 'web', credential: '' }), WRONG);
    // Under another user it is another device, and nobody that the server knows.
    const pump = await bench.login(PUMP);
    await bench.login({ ...PUMP, user: 'eve' });
    assert.equal(pump.ended, false);
    assert.ok(bench.broker.server.device({ user: 'anonymous', device: 'pump' }));
  });

  it('do not get in while their removal is not kept', async () => {
    const bench = await Bench.start({ anonymous: true });
    await bench.directory.devices.create({ ...KNOCKING, type: 'Generic', credentials: 'own' });
    const documents = bench.store.documents as { remove: DocumentStore['remove'] };
    const remove = documents.remove;
    documents.remove = () => Promise.reject(new StorageError('full', 'the disk is full'));
    await assert.rejects(bench.directory.devices.remove(KNOCKING), { code: 'IOTMP_ERR_STORAGE' });
    assert.equal(await bench.refusal(KNOCKING), WRONG);
    documents.remove = remove;
    await bench.directory.devices.remove(KNOCKING);
    await bench.login(KNOCKING);
    assert.ok(bench.broker.server.device({ user: 'anonymous', device: 'board' }));
  });

  it('do not get in without a credential of the settings while the directory is not read, also in the middle of that', async () => {
    const bench = await Bench.start({ anonymous: true });
    await bench.pattern();
    await bench.directory.devices.create({ ...KNOCKING, type: 'Generic', credentials: 'own' });
    await bench.directory.close();
    const documents = bench.store.documents as { scan: DocumentStore['scan'] };
    const { scan } = documents;
    // Users, devices and patterns are read, and then it fails.
    documents.scan = (collection) => {
      if (collection === 'storage') throw new StorageError('failed', 'the disk has an error');
      return Reflect.apply(scan, documents, [collection]);
    };
    const again = bench.newDirectory();
    await assert.rejects(again.start());
    const unread = 'failed: the directory of devices is not read';
    assert.equal(await bench.refusal(KNOCKING), unread);
    assert.equal(await bench.refusal(BOARD), unread);
    assert.equal(await bench.refusal({ user: 'who', device: 'ever' }), unread);
    const request = { ...KNOCKING, device: 'new', address: HERE };
    assert.throws(() => again.provisioning.acceptNextLogin(request), { code: 'IOTMP_ERR_STORAGE' });
    await bench.login(PUMP);
    documents.scan = scan;
    await again.start();
    await bench.login(KNOCKING);
    await bench.login(BOARD);
  });
});
