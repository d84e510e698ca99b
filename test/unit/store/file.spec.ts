import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import type { NewRow } from '../../../src/store/bucket-row';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { runChild, type Child } from './support/child';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

/** Windows knows no rights of files. */
const onPosix = process.platform === 'win32' ? it.skip : it;

const KEY = { user: 'ann', bucket: 'air' };
const FILE_MODULE = join(__dirname, '../../../src/store/open-store');

/** A file with something in it. */
async function filledFile(): Promise<string> {
  const file = join(temporaryFolder(), 'store.db');
  const store = await openStore({ file });
  await fill(store);
  await store.close();
  return file;
}

async function fill({ properties, buckets, retained, documents }: Store): Promise<void> {
  await properties.set({ user: 'ann', device: 'd' }, 'p', 2n ** 60n, { a: 1 });
  await documents.put({ collection: 'token', user: 'ann', id: 't' }, { name: 'One' });
  await retained.set('ann', 'a/b', Buffer.from([1, 2]));
  await buckets.define(KEY, { retention: { count: 4000 } });
  await buckets.write(
    KEY,
    Array.from({ length: 5000 }, (_, ts) => ({ ts, device: `d${ts % 3}`, value: { ts } })),
  );
}

const refusal = (reason: string): object => withCode('IOTMP_ERR_STORAGE', reason);

function holdLock(file: string): Child {
  const code = `
    const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(process.argv[1]);
    db.exec('BEGIN EXCLUSIVE');
    console.log('locked');
    process.stdin.on('end', () => process.exit()).resume();`;
  return runChild(code, [file]);
}

describe('a store in a file', function () {
  this.timeout(60_000);

  it('has everything again when it is opened again', async () => {
    const file = await filledFile();
    const store = await openFileStore({ file });
    const { properties, buckets, retained, documents } = store;
    assert.partialDeepStrictEqual(await properties.get({ user: 'ann', device: 'd' }, 'p'), {
      value: 2n ** 60n,
      attributes: { a: 1 },
    });
    assert.deepEqual((await documents.list({ collection: 'token' }, { name: 'one' })).length, 1);
    assert.deepEqual((await retained.get('ann', 'a/b'))?.payload, Buffer.from([1, 2]));
    assert.equal(await buckets.count(KEY), 4000);
    assert.deepEqual(await buckets.tagValues(KEY, 'device'), ['d0', 'd1', 'd2']);
    assert.partialDeepStrictEqual(await buckets.write(KEY, [{ ts: 4999, device: 'd1', value: {} }]), {
      added: 0,
      pruned: 0,
    });
    assert.deepEqual(await store.check(), []);
  });

  it('refuses writes while its file is not in its place, and reads what is there', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const faults: (string | undefined)[] = [];
    const store = await openFileStore({
      file,
      onFault: ({ reason }) => faults.push(reason),
      onRecovered: () => faults.push(undefined),
    });
    const { buckets } = store;
    await buckets.define(KEY, {});
    await buckets.write(KEY, [{ ts: 1, value: { n: 1 } }]);
    renameSync(file, `${file}.away`);
    await assert.rejects(buckets.write(KEY, [{ ts: 2, value: { n: 2 } }]), refusal('unavailable'));
    assert.equal(await buckets.count(KEY), 1);
    renameSync(`${file}.away`, file);
    await buckets.write(KEY, [{ ts: 3, value: { n: 3 } }]);
    assert.deepEqual(faults, ['unavailable', undefined]);
    assert.deepEqual(
      (await buckets.range(KEY)).rows.map(({ ts }) => ts),
      [1, 3],
    );
  });

  it('has a burst of rows that ran ahead of the clock beside those that come soon after a restart', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const burst = (): NewRow[] => Array.from({ length: 100 }, (_, n) => ({ device: 'd', value: { n } }));
    const before = await openFileStore({ file, now: () => 1000 });
    await before.buckets.define(KEY, {});
    await before.buckets.write(KEY, burst());
    await before.close();
    const { buckets } = await openFileStore({ file, now: () => 1020 });
    const { ts, added } = await buckets.write(KEY, burst());
    assert.deepEqual([ts[0], ts.at(-1), added], [1100, 1199, 100]);
    assert.equal(await buckets.count(KEY), 200);
  });

  onPosix('makes the file and its folder for this user only', async () => {
    const file = join(temporaryFolder(), 'a', 'b', 'store.db');
    const store = await openFileStore({ file });
    await fill(store);
    const modes = readdirSync(dirname(file)).map((name) => [
      name,
      statSync(join(dirname(file), name)).mode & 0o777,
    ]);
    assert.deepEqual(modes, [
      ['store.db', 0o600],
      ['store.db-shm', 0o600],
      ['store.db-wal', 0o600],
    ]);
    assert.equal(statSync(dirname(file)).mode & 0o777, 0o700);
    await store.close();
    assert.deepEqual(readdirSync(dirname(file)), ['store.db']);
  });

  onPosix(
    'takes rights to an existing file, its log and its own folder away from others, and gives none',
    async () => {
      const file = await filledFile();
      chmodSync(file, 0o644);
      writeFileSync(`${file}-wal`, '');
      chmodSync(`${file}-wal`, 0o666);
      chmodSync(dirname(file), 0o755);
      const modeOf = (path: string): number => statSync(path).mode & 0o777;
      const first = await openFileStore({ file });
      assert.deepEqual([file, `${file}-wal`].map(modeOf), [0o600, 0o600]);
      assert.equal(modeOf(dirname(file)), 0o755, 'a folder that may be for others, too');
      await first.close();
      await openFileStore({ file, ownFolder: true });
      assert.equal(modeOf(dirname(file)), 0o700);
    },
  );

  onPosix('says once that it cannot take rights away from others, and works all the same', async () => {
    const file = await filledFile();
    chmodSync(file, 0o666);
    chmodSync(dirname(file), 0o777);
    const code = `require(process.argv[1]).openStore({ file: process.argv[2], onWarning: (text) => console.log(text) })
      .then((store) => store.properties.list({ user: 'ann', device: 'd' }))
      .then((list) => console.log(list.length), (error) => console.log(error.reason));`;
    // The superuser may change everything: then another user has to try.
    if (process.getuid?.() !== 0) return;
    const child = runChild(code, [FILE_MODULE, file], ['--import', 'tsx'], { uid: 65_534, gid: 65_534 });
    assert.match((await child.nextLine()) ?? '', /^others may read the storage/);
    assert.equal(await child.nextLine(), '1');
  });

  it('is not shared with another store, in this process or in another', async () => {
    const file = await filledFile();
    const store = await openFileStore({ file });
    await assert.rejects(openStore({ file, busyTimeoutMs: 50 }), refusal('locked'));
    const child = runChild(
      `require(process.argv[1]).openStore({ file: process.argv[2], busyTimeoutMs: 50 })
         .then(() => console.log('opened'), (error) => console.log(error.reason));`,
      [FILE_MODULE, file],
      ['--import', 'tsx'],
    );
    assert.equal(await child.nextLine(), 'locked');
    assert.equal(await store.buckets.count(KEY), 4000);
    await store.properties.set({ user: 'ann' }, 'still', 'works');
    await store.close();
    await openFileStore({ file });
  });

  it('waits for another process to let go of the file, for some time', async () => {
    const file = await filledFile();
    const other = holdLock(file);
    assert.equal(await other.nextLine(), 'locked');
    await assert.rejects(openStore({ file, busyTimeoutMs: 50 }), refusal('locked'));
    const opening = openFileStore({ file, busyTimeoutMs: 60_000 });
    other.process.stdin!.end();
    await other.exited;
    assert.equal(await (await opening).buckets.count(KEY), 4000);
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const garbage = Buffer.alloc(20_000, 'no database at all ');
    writeFileSync(file, garbage);
    await assert.rejects(openStore({ file }), refusal('corrupt'));
    assert.deepEqual(readFileSync(file), garbage);
    assert.deepEqual(readdirSync(dirname(file)), ['store.db']);
  });

  it('refuses a file that was cut, and leaves it as it is', async () => {
    for (const keep of [0.9, 0.5, 0.1]) {
      const file = await filledFile();
      truncateSync(file, Math.floor(statSync(file).size * keep));
      const bytes = readFileSync(file);
      await assert.rejects(openStore({ file }), refusal('corrupt'));
      assert.deepEqual(readFileSync(file), bytes);
    }
  });

  it('refuses a file that is damaged inside', async () => {
    const file = await filledFile();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 8 * 4096, 20 * 4096);
    writeFileSync(file, bytes);
    await assert.rejects(openStore({ file }), refusal('corrupt'));
    assert.deepEqual(readFileSync(file), bytes);
  });

  it('refuses to make a new file beside the log of a lost one', async () => {
    const file = join(temporaryFolder(), 'store.db');
    writeFileSync(`${file}-wal`, 'the only copy of something');
    await assert.rejects(openStore({ file }), refusal('corrupt'));
    writeFileSync(file, '');
    await assert.rejects(openStore({ file }), refusal('corrupt'));
    assert.equal(readFileSync(`${file}-wal`, 'utf8'), 'the only copy of something');
  });

  it('takes an empty file for a new one', async () => {
    const file = join(temporaryFolder(), 'store.db');
    writeFileSync(file, '');
    await fill(await openFileStore({ file }));
  });

  it('refuses the database of another program', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE other (a)');
    db.close();
    const bytes = readFileSync(file);
    await assert.rejects(openStore({ file }), refusal('foreign'));
    assert.deepEqual(readFileSync(file), bytes);
  });

  it('refuses a file of a newer version, and leaves it as it is', async () => {
    const file = await filledFile();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 1000');
    db.close();
    const bytes = readFileSync(file);
    await assert.rejects(openStore({ file }), refusal('newer'));
    assert.deepEqual(readFileSync(file), bytes);
  });

  it('refuses a place where no file can be', async () => {
    const folder = temporaryFolder();
    await assert.rejects(openStore({ file: folder }), refusal('unavailable'));
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(openStore({ file: join(folder, 'file', 'store.db') }), refusal('unavailable'));
  });

  onPosix('refuses a file that it may not write', async () => {
    const file = await filledFile();
    chmodSync(file, 0o444);
    chmodSync(dirname(file), 0o555);
    // The superuser may write everything: then another user has to try.
    const isSuperuser = process.getuid?.() === 0;
    const code = `require(process.argv[1]).openStore({ file: process.argv[2] })
      .then(() => console.log('opened'), (error) => console.log(error.reason));`;
    const child = runChild(
      code,
      [FILE_MODULE, file],
      ['--import', 'tsx'],
      isSuperuser ? { uid: 65_534, gid: 65_534 } : {},
    );
    assert.equal(await child.nextLine(), 'readonly');
    chmodSync(dirname(file), 0o755);
  });

  it('says so where Node.js has no SQLite', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const code = `require(process.argv[1]).openStore({ file: process.argv[2] })
      .then(() => console.log('opened'), (error) => console.log(error.reason, error.message));`;
    const child = runChild(code, [FILE_MODULE, file], ['--no-experimental-sqlite', '--import', 'tsx']);
    assert.match((await child.nextLine())!, /^unsupported .*22\.13/);
    assert.equal(existsSync(file), false);
  });

  it('is opened in a folder whose name is not plain', async () => {
    const folder = join(temporaryFolder(), 'a b?c#d%20ñ');
    mkdirSync(folder);
    await fill(await openFileStore({ file: join(folder, 'store.db') }));
    assert.ok(existsSync(join(folder, 'store.db')));
  });
});
