import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import type { NodeAPI } from 'node-red';
import { HostedServer } from '../../../nodes/lib/server/hosted-server';
import { storageFile } from '../../../nodes/lib/server/storage-settings';
import { storeState } from '../../../nodes/lib/server/store-state';
import { openStore, StorageError, type StorageFault, type Store } from '../../../src';
import { cleanUp } from '../../support/clean-up';

const OPTIONS = { host: '127.0.0.1', tcpPort: 0 };
const OWNER = { user: 'anna', device: 'pump' };

describe('a hosted server', () => {
  it('goes on without a store where Node.js has no SQLite, and says so', async () => {
    for (const file of ['store.db', undefined]) {
      const open = (): Promise<Store> => Promise.reject(new StorageError('unsupported', 'no SQLite'));
      const hosted = new HostedServer(OPTIONS, file, open);
      const told = once(hosted, 'store');
      await hosted.start();
      assert.equal((await told)[0], hosted.fault);
      assert.equal(hosted.fault?.reason, 'unsupported');
      assert.equal(hosted.running, true);
      await assert.rejects(hosted.services.properties.set(OWNER, 'a', 1), { reason: 'unsupported' });
      await hosted.close();
      assert.equal(hosted.running, false);
    }
  });

  it('takes what fails in an unknown way for a fault, too', async () => {
    const hosted = new HostedServer(OPTIONS, 'store.db', () => Promise.reject(new Error('odd')));
    await once(hosted, 'store');
    assert.deepEqual([hosted.fault?.reason, hosted.fault?.message], ['failed', 'odd']);
    await hosted.close();
  });

  it('takes from a device what rules deny by its type, as soon as the directory has the type', async () => {
    const hosted = new HostedServer(OPTIONS, undefined);
    const { rights } = hosted.services;
    const scrap = { effect: 'deny', who: 'type:anna/scrap', action: '*', target: '*' } as const;
    const request = { who: OWNER, action: 'Lock', target: 'door', isDefault: true } as const;
    rights.rules = [scrap];
    assert.equal(rights.allows(request), false, 'the directory is not read yet');
    await hosted.start();
    await hosted.readDirectory();
    let lost = 0;
    const release = rights.hold(request, () => {
      lost++;
      release();
    });
    const { devices } = hosted.directory;
    const record = await devices.create({ ...OWNER, type: 'Generic', credentials: 'x', asset_type: 'scrap' });
    assert.equal(lost, 1);
    assert.equal(rights.allows(request), false);
    await devices.update(record, { asset_type: 'pumps' });
    assert.equal(rights.allows(request), true);
    await hosted.close();
  });

  it('has kept all that it was asked to keep when it is closed', async () => {
    let closed = false;
    const done: string[] = [];
    const hosted: HostedServer = new HostedServer(OPTIONS, undefined, async (options) => {
      const store = await openStore(options);
      return {
        ...store,
        close: async () => {
          assert.equal(hosted.running, false, 'the store ends after the server');
          await store.close();
          closed = true;
        },
      };
    });
    await hosted.start();
    const writing = hosted.services.properties.set(OWNER, 'a', 1).then(() => done.push('written'));
    await hosted.close();
    await writing;
    assert.equal(closed, true);
    assert.deepEqual(done, ['written']);
    await hosted.close();
  });

  it('has kept the last message of a topic when it is closed, also one that waits for another', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'iotmp-hosted-'));
    cleanUp(() => rm(directory, { recursive: true }));
    const file = join(directory, 'store.db');
    const hosted = new HostedServer(OPTIONS, file);
    await hosted.start();
    const { topics } = hosted.services;
    await topics.publish('anna', 'state', 'first', { retain: true });
    const published = [2, 3].map((n) => topics.publish('anna', 'state', n, { retain: true }));
    await hosted.close();
    await Promise.all(published);
    const store = await openStore({ file });
    assert.equal((await store.retained.get('anna', 'state'))?.payload, 3);
    await store.close();
  });

  it('has kept what was asked while the store was opening, when it is closed at once', async () => {
    const kept: unknown[] = [];
    const hosted = new HostedServer(OPTIONS, undefined, async (options) => {
      const store = await openStore(options);
      await setImmediate();
      return {
        ...store,
        close: async () => {
          kept.push((await store.properties.get(OWNER, 'a'))?.value);
          await store.close();
        },
      };
    });
    const writing = hosted.services.properties.set(OWNER, 'a', 1);
    await hosted.close();
    await writing;
    assert.deepEqual(kept, [1]);
  });

  it('is not started after its end', async () => {
    const hosted = new HostedServer(OPTIONS, undefined);
    await hosted.close();
    await hosted.start();
    assert.equal(hosted.running, false);
  });
});

describe('the file of a server', () => {
  const RED = { settings: { userDir: '/data' } } as unknown as NodeAPI;

  it('is named by the node, and never outside of its folder', () => {
    assert.equal(storageFile(RED, 'a1b2', {}), join('/data', 'iotmp', 'a1b2.db'));
    assert.equal(storageFile(RED, 'a1b2', { storage: 'file' }), join('/data', 'iotmp', 'a1b2.db'));
    assert.equal(storageFile(RED, '../x', { storage: 'file' }), join('/data', 'iotmp', '..%2Fx.db'));
    assert.equal(storageFile(RED, 'a1b2', { storage: 'memory' }), undefined);
  });

  it('needs a user directory, and a kind of storage that there is', () => {
    assert.throws(() => storageFile({ settings: {} } as NodeAPI, 'a', { storage: 'file' }), {
      code: 'IOTMP_ERR_CONFIG',
    });
    assert.throws(() => storageFile(RED, 'a', { storage: 'cloud' }), { code: 'IOTMP_ERR_CONFIG' });
  });
});

describe('the status of a store', () => {
  it('is red, with a text of its own for each fault', () => {
    const RED = { _: (key: string) => key } as unknown as NodeAPI;
    const reasons: StorageFault[] = [
      'unsupported',
      'unavailable',
      'locked',
      'full',
      'readonly',
      'corrupt',
      'foreign',
      'newer',
      'io',
      'failed',
    ];
    const states = reasons.map((reason) => storeState(RED, new StorageError(reason, 'x')));
    assert.deepEqual(
      states.map(({ kind }) => kind),
      reasons.map(() => 'error'),
    );
    assert.equal(new Set(states.map(({ text }) => text)).size, reasons.length);
  });
});
