import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { isLogDamaged } from '../../../src/store/sqlite/database/log-check';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

const OWNER = { user: 'ann', device: 'd' };

interface Scene {
  readonly file: string;
  readonly store: Store;
  readonly told: string[];
}

/** An open store with 20 properties, which are in its log. */
async function openScene(): Promise<Scene> {
  const file = join(temporaryFolder(), 'store.db');
  const told: string[] = [];
  const store = await openFileStore({
    file,
    reopenAfterMs: 20,
    onFault: ({ message }) => told.push(message),
    onRecovered: () => told.push('recovered'),
    onWarning: (text) => told.push(text),
  });
  for (let n = 0; n < 20; n++) await store.properties.set(OWNER, `p${n}`, 'x'.repeat(5000));
  return { file, store, told };
}

async function until({ told }: Scene, text: RegExp): Promise<void> {
  for (let waited = 0; !told.some((line) => text.test(line)); waited++) {
    assert.ok(waited < 250, `not told: ${told.join('\n')}`);
    await setTimeout(20);
  }
}

async function count({ properties }: Pick<Store, 'properties'>): Promise<number> {
  return (await properties.list(OWNER, { limit: 1000 })).length;
}

describe('the files of an open store', function () {
  this.timeout(30_000);
  // There an open file can neither be removed nor replaced.
  if (process.platform === 'win32') return;

  it('may lose their log: what it held is brought into the file', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    assert.ok(statSync(`${file}-wal`).size > 100_000);
    rmSync(`${file}-wal`);
    await until(scene, /log of the storage was removed by somebody else/);
    await until(scene, /^recovered$/);
    assert.equal(await count(store), 20);
    await store.properties.set(OWNER, 'after', 1);
    assert.ok(existsSync(`${file}-wal`));
    assert.deepEqual(await store.check(), []);
  });

  it('may have their log damaged: what was sound is there, and the log is kept as it was', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    const log = readFileSync(`${file}-wal`);
    assert.equal(isLogDamaged(log), false);
    log.fill(0xa5, Math.floor(log.length / 2), Math.floor(log.length / 2) + 300);
    assert.equal(isLogDamaged(log), true);
    writeFileSync(`${file}-wal`, log);
    await until(scene, /log of the storage was damaged by somebody else/);
    await until(scene, /^recovered$/);
    const left = await count(store);
    assert.ok(left > 3 && left < 20, `${left} properties`);
    assert.deepEqual(await store.check(), []);
    assert.deepEqual(readFileSync(`${file}-wal.damaged`), log);
    assert.equal(statSync(`${file}-wal.damaged`).mode & 0o777, 0o600);
    await store.properties.set(OWNER, 'after', 1);
  });

  it('may have their log cut', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    truncateSync(`${file}-wal`, 40_000);
    await until(scene, /log of the storage was damaged by somebody else/);
    await until(scene, /^recovered$/);
    assert.deepEqual(await store.check(), []);
    await store.properties.set(OWNER, 'after', 1);
  });

  it('may be touched without a change, which is nothing to tell', async () => {
    const { file, store, told } = await openScene();
    const later = new Date(Date.now() + 60_000);
    for (const path of [file, `${file}-wal`]) utimesSync(path, later, later);
    await setTimeout(1300);
    await store.properties.set(OWNER, 'after', 1);
    assert.equal(await count(store), 21);
    assert.deepEqual(told, []);
  });

  it('may be replaced: the open one is read on, and kept beside the other at the end', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    const other = join(temporaryFolder(), 'other.db');
    await (await openStore({ file: other, reserveBytes: 0 })).close();
    copyFileSync(other, `${file}.new`);
    renameSync(`${file}.new`, file);
    await until(scene, /another file is in its place/);
    await assert.rejects(store.properties.set(OWNER, 'p', 1), withCode('IOTMP_ERR_STORAGE', 'unavailable'));
    assert.equal(await count(store), 20);
    await store.close();
    await until(scene, /what it held is in .*\.rescued$/);
    const rescued = await openFileStore({ file: `${file}.rescued` });
    assert.equal(await count(rescued), 20);
    assert.equal(statSync(`${file}.rescued`).mode & 0o777, 0o600);
  });

  it('may be removed, which is told without a write, and put back', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    renameSync(file, `${file}.away`);
    await until(scene, /it was removed or renamed/);
    assert.equal(store.fault?.reason, 'unavailable');
    renameSync(`${file}.away`, file);
    await until(scene, /^recovered$/);
    await store.properties.set(OWNER, 'after', 1);
    assert.equal(await count(store), 21);
  });

  it('may be removed for good: what they held is kept at the end', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    rmSync(file);
    await until(scene, /it was removed or renamed/);
    await store.close();
    const rescued = await openFileStore({ file: `${file}.rescued` });
    assert.equal(await count(rescued), 20);
  });

  it('may become longer: they are opened anew, and looked through', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    appendFileSync(file, Buffer.alloc(8192));
    await until(scene, /file of the storage was changed by somebody else/);
    await until(scene, /^recovered$/);
    assert.equal(await count(store), 20);
    await store.properties.set(OWNER, 'after', 1);
    assert.deepEqual(await store.check(), []);
  });

  it('may be cut: that is told, and nothing is written over it', async () => {
    const scene = await openScene();
    const { file, store } = scene;
    await store.close();
    const again: Scene = {
      ...scene,
      told: [],
      store: await openFileStore({
        file,
        reopenAfterMs: 20,
        onFault: ({ message }) => again.told.push(message),
        onWarning: (text) => again.told.push(text),
      }),
    };
    truncateSync(file, 8192);
    await until(again, /the file is damaged/);
    assert.equal(again.store.fault?.reason, 'corrupt');
    await assert.rejects(again.store.properties.set(OWNER, 'p', 1), withCode('IOTMP_ERR_STORAGE', 'corrupt'));
  });
});
