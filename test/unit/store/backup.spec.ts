import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'mocha';
import { StorageError } from '../../../src/errors';
import { Backups, type BackupReport, type BackupsOptions } from '../../../src/store/backup/backups';
import { DiskFiles } from '../../../src/store/files/disk-files';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder } from './support/stores';

const KEY = { user: 'anna', storage: 'logs' };
const LIMITS = { fileBytes: 1e6, storageBytes: 1e8, storageEntries: 1000 };
const MIB = 1024 * 1024;

interface Bench {
  readonly file: string;
  readonly store: Store;
  readonly files: DiskFiles;
  readonly backups: Backups;
}

async function start(options: Partial<BackupsOptions> = {}): Promise<Bench> {
  const file = join(temporaryFolder(), 'server.db');
  const store = await openStore({ file });
  const files = new DiskFiles(file.replace('.db', '.files'), LIMITS);
  const backups = new Backups({ store, file, files, ...options });
  cleanUp(async () => {
    await backups.close();
    await files.close();
    await store.close();
  });
  return { file, store, files, backups };
}

/** Restores a backup into a new folder, as the documentation says. */
async function restored({ path }: BackupReport): Promise<{ store: Store; files: DiskFiles }> {
  const folder = join(temporaryFolder(), 'restored');
  cpSync(path, folder, { recursive: true });
  const store = await openStore({ file: join(folder, 'server.db') });
  const files = new DiskFiles(join(folder, 'server.files'), LIMITS);
  cleanUp(async () => {
    await files.close();
    await store.close();
  });
  return { store, files };
}

function contentOf(text: string): AsyncIterable<Uint8Array> {
  return Readable.from([Buffer.from(text)]);
}

async function textOf(files: DiskFiles, path: string): Promise<string> {
  const { content } = await files.open(KEY, path);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Writes rows of many devices, each after the other, until it is told to end. */
class Writers {
  /** Rows of each device that were answered. */
  readonly acknowledged = new Map<string, number>();
  #isOver = false;
  readonly #all: Promise<void>[];

  constructor(store: Store, count: number) {
    this.#all = Array.from({ length: count }, (_, index) => this.#write(store, `device-${index}`));
  }

  get total(): number {
    return [...this.acknowledged.values()].reduce((sum, rows) => sum + rows, 0);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#all);
  }

  async #write(store: Store, device: string): Promise<void> {
    for (let n = 1; !this.#isOver; n++) {
      await store.buckets.write({ user: 'anna', bucket: 'b' }, [{ ts: n, device, value: { n } }], {});
      this.acknowledged.set(device, n);
    }
  }
}

describe('a backup of a store in use', () => {
  it('has every write that was answered before it began, and no table is torn, under thousands of writes a second', async () => {
    const { store, backups } = await start();
    const writers = new Writers(store, 500);
    while (writers.total < 5000) await new Promise((resolve) => setTimeout(resolve, 5));
    const before = new Map(writers.acknowledged);
    const report = await backups.make();
    const during = writers.total;
    await writers.end();
    assert.ok(during > [...before.values()].reduce((sum, rows) => sum + rows, 0), 'writes went on');
    const { store: copy } = await restored(report);
    assert.deepEqual(await copy.check(), []);
    for (const [device, rows] of before) {
      const page = await copy.buckets.range({ user: 'anna', bucket: 'b' }, { devices: [device] });
      const times = page.rows.map(({ ts }) => ts);
      assert.ok(times.length >= rows, `${device} has lost rows`);
      const expected = times.map((_, index) => index + 1);
      assert.deepEqual(times, expected, 'what is there has no holes');
    }
  });

  it('is of all kinds of things that are kept', async () => {
    const { store, files, backups } = await start();
    const id = { collection: 'device', user: 'anna', id: 'pump' };
    await store.documents.put(id, { name: 'p' });
    await store.properties.set({ user: 'anna' }, 'place', 'attic');
    await store.retained.set('anna', 'a/b', new Uint8Array([1, 2]));
    await files.write(KEY, 'x/today.txt', contentOf('a file'), true);
    const report = await backups.make();
    const { store: copy, files: copies } = await restored(report);
    assert.deepEqual((await copy.documents.get(id))?.body, { name: 'p' });
    assert.equal((await copy.properties.get({ user: 'anna' }, 'place'))?.value, 'attic');
    assert.equal(await textOf(copies, 'x/today.txt'), 'a file');
    assert.ok(report.bytes > 'a file'.length);
    await copy.properties.set({ user: 'anna' }, 'place', 'cellar');
    assert.equal(
      (await store.properties.get({ user: 'anna' }, 'place'))?.value,
      'attic',
      'a copy of its own',
    );
  });

  it('has each file that was there when the store was copied, whatever became of it meanwhile', async () => {
    const { file, store, files } = await start();
    for (const name of ['stays', 'goes', 'moves', 'changes', 'folder/a']) {
      await files.write(KEY, name, contentOf(`old ${name}`), true);
    }
    const copyTo = async (target: string): Promise<void> => {
      await store.copyTo(target);
      await files.remove(KEY, 'goes', false);
      await files.remove(KEY, 'folder', true);
      await files.rename(KEY, 'moves', 'moved', false);
      await files.write(KEY, 'changes', contentOf('new changes'), true);
      await files.write(KEY, 'goes', contentOf('another'), true);
    };
    const report = await new Backups({ store: { ...store, copyTo }, file, files }).make();
    const { files: copies } = await restored(report);
    assert.equal(await textOf(copies, 'stays'), 'old stays');
    assert.equal(await textOf(copies, 'goes'), 'old goes');
    assert.equal(await textOf(copies, 'moves'), 'old moves');
    assert.equal(await textOf(copies, 'folder/a'), 'old folder/a');
    assert.equal(await textOf(copies, 'changes'), 'new changes');
  });

  it('is for the eyes of this user only, and nothing unfinished stays beside it', async () => {
    const { file, backups, files } = await start();
    await files.write(KEY, 'a', contentOf('a'), true);
    const folder = file.replace('.db', '.backups');
    mkdirSync(join(folder, '2026-01-01T00-00-00.000Z.part'), { recursive: true });
    const { path, backup } = await backups.make();
    assert.deepEqual(readdirSync(folder), [backup]);
    assert.deepEqual(readdirSync(path).sort(), ['server.db', 'server.files']);
    assert.equal(basename(path), backup);
    if (process.platform === 'win32') return;
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(statSync(join(path, 'server.db')).mode & 0o777, 0o600);
  });

  it('makes the oldest go past the number that stays, and leaves what is no backup', async () => {
    const { file, backups } = await start({ keep: 2 });
    const folder = file.replace('.db', '.backups');
    mkdirSync(folder);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const made = [await backups.make(), await backups.make(), await backups.make()].map(
      ({ backup }) => backup,
    );
    assert.deepEqual(readdirSync(folder).sort(), [...made.slice(1), 'notes.txt'].sort());
  });

  it('is refused with 507 where there is no room, and leaves nothing', async () => {
    const { file, backups } = await start({ freeBytes: () => Promise.resolve(MIB) });
    await assert.rejects(backups.make(), { code: 'IOTMP_ERR_STORAGE', statusCode: 507 });
    assert.deepEqual(readdirSync(file.replace('.db', '.backups')), []);
  });

  it('leaves nothing where the disk becomes full in the middle', async () => {
    const { file, store, files } = await start();
    const copyTo = (target: string): Promise<void> => {
      writeFileSync(target, 'half');
      return Promise.reject(new StorageError('full', 'no space'));
    };
    const backups = new Backups({ store: { ...store, copyTo }, file, files });
    await assert.rejects(backups.make(), { statusCode: 507 });
    assert.deepEqual(readdirSync(file.replace('.db', '.backups')), []);
    await files.write(KEY, 'a', contentOf('a'), true);
    await files.remove(KEY, 'a', false);
    assert.deepEqual(readdirSync(file.replace('.db', '.backups')), [], 'files are kept for no backup');
  });

  it('is one at a time, and not of a store in memory: 409', async () => {
    const { store, backups } = await start();
    const first = backups.make();
    await assert.rejects(backups.make(), { code: 'IOTMP_ERR_CONFLICT', statusCode: 409 });
    await first;
    await backups.make();
    const inMemory = new Backups({ store, file: undefined });
    await assert.rejects(inMemory.make(), { code: 'IOTMP_ERR_CONFLICT', message: /in memory/ });
  });

  it('lets no other store use the file meanwhile, nor afterwards', async () => {
    const { file, store, backups } = await start();
    const copyTo = async (target: string, signal?: AbortSignal): Promise<void> => {
      const copied = store.copyTo(target, signal);
      await assert.rejects(openStore({ file, busyTimeoutMs: 50 }), { reason: 'locked' });
      await copied;
    };
    await new Backups({ store: { ...store, copyTo }, file }).make();
    await backups.make();
    await store.properties.set({ user: 'anna' }, 'a', 1);
    await assert.rejects(openStore({ file, busyTimeoutMs: 50 }), { reason: 'locked' });
  });

  it('is given up when the server ends', async () => {
    const { file, store, backups } = await start();
    const value = Buffer.alloc(60_000);
    for (let i = 0; i < 200; i++) await store.properties.set({ user: 'anna' }, `p${i}`, value);
    const made = assert.rejects(backups.make(), { code: 'IOTMP_ERR_ABORTED' });
    while (!existsSync(file.replace('.db', '.backups'))) await new Promise(setImmediate);
    await backups.close();
    await made;
    assert.deepEqual(readdirSync(file.replace('.db', '.backups')), []);
    await assert.rejects(backups.make(), { code: 'IOTMP_ERR_CLOSED' });
    assert.ok(readFileSync(file).length > 0);
  });
});
