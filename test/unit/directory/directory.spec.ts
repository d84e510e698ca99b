import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ServerOptions } from '../../../src/broker/broker-options';
import { Directory } from '../../../src/directory/directory';
import { StorageError } from '../../../src/errors';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { BrokerBench, PUMP } from '../support/broker-fixture';

const VALVE = { user: 'anna', device: 'valve', credential: 'turn' } as const;
const DRAFT = { user: 'anna', device: 'valve', type: 'Generic', credentials: 'turn' } as const;

interface Bench {
  readonly broker: BrokerBench;
  readonly store: Store;
  readonly newDirectory: () => Directory;
}

async function newBench(options: ServerOptions = {}): Promise<Bench> {
  const store = await openStore({ memory: true });
  const directories: Directory[] = [];
  // Before that of the broker, which looks for timers that were left behind.
  cleanUp(() => Promise.all(directories.map((one) => one.close())));
  cleanUp(() => store.close());
  const broker = await BrokerBench.start(options);
  const newDirectory = (): Directory => {
    const made = new Directory(broker.server, { store, clock: broker.clock });
    directories.push(made);
    return made;
  };
  return { broker, store, newDirectory };
}

describe('directory', () => {
  it('lets its devices in while no API is served', async () => {
    const { broker, newDirectory } = await newBench();
    const known = newDirectory();
    await known.start();
    await known.devices.create(DRAFT);
    await broker.device(VALVE);
    await assert.rejects(broker.device({ ...VALVE, credential: 'other' }), /not let in/);
  });

  it('knows its devices again after a restart', async () => {
    const { broker, newDirectory } = await newBench();
    const first = newDirectory();
    await first.start();
    await first.devices.create(DRAFT);
    await first.close();
    await assert.rejects(broker.device(VALVE), /not let in/);
    await newDirectory().start();
    await broker.device(VALVE);
  });

  it('knows type, group and product of a device, for the rules of rights', async () => {
    const { newDirectory } = await newBench();
    const known = newDirectory();
    assert.equal(known.traitsOf(PUMP), undefined, 'not read yet');
    await known.start();
    await known.devices.create({ ...DRAFT, asset_type: 'valves', asset_group: 'garden', product: 'v2' });
    assert.deepEqual(known.traitsOf(VALVE), { type: 'valves', group: 'garden', product: 'v2' });
    assert.deepEqual(known.traitsOf(PUMP), { type: '', group: '', product: '' });
  });

  it('tells when the traits of a device may be others: read, made, changed or removed', async () => {
    const { newDirectory } = await newBench();
    const known = newDirectory();
    const told: string[] = [];
    known.on('traitsChanged', (id) => told.push(`${id?.device ?? 'all'} ${known.traitsOf(VALVE)?.type}`));
    await known.start();
    const record = await known.devices.create({ ...DRAFT, asset_type: 'valves' });
    await known.devices.update(record, { asset_type: 'pumps' });
    await known.devices.remove(VALVE);
    assert.deepEqual(told, ['all ', 'valve valves', 'valve pumps', 'valve ']);
  });

  it('leaves the devices of the settings to the settings', async () => {
    const { broker, newDirectory } = await newBench();
    const { devices } = newDirectory();
    await devices.create({ ...DRAFT, ...PUMP, credentials: 'other' });
    await assert.rejects(broker.device({ ...PUMP, credential: 'other' }), /not let in/);
    await broker.device(PUMP);
  });

  it('keeps out all but the devices of the settings while it cannot be read, and is read by the next start', async () => {
    const { broker, store, newDirectory } = await newBench({ anonymous: true });
    const { documents } = store;
    const scan = documents.scan.bind(documents);
    documents.scan = () => {
      throw new StorageError('failed', 'cannot be read');
    };
    const known = newDirectory();
    await assert.rejects(known.start(), /cannot be read/);
    await assert.rejects(broker.device({ ...VALVE, credential: 'any' }), /not let in/);
    await broker.device(PUMP);
    documents.scan = scan;
    await known.start();
    await broker.device({ ...VALVE, credential: 'any' });
  });
});
