import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { storageError } from '../../../src/store/sqlite/database/sqlite-fault';
import type { JobAnswer, WriteJob } from '../../../src/store/sqlite/thread/messages';
import { toFailure } from '../../../src/store/sqlite/thread/messages';
import { ReservedGroup } from '../../../src/store/sqlite/thread/reserved-group';
import type { Store } from '../../../src/store/store';
import { smallDisk, type SmallDisk } from '../../support/small-disk';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

const MIB = 1024 * 1024;
const KEY = { user: 'ann', bucket: 'air' };
const OWNER = { user: 'ann', device: 'd' };
const TOKEN = { collection: 'token', user: 'ann', id: 't' };
const full = withCode('IOTMP_ERR_STORAGE', 'full');

interface Scene {
  readonly store: Store;
  readonly reserve: string;
  readonly told: string[];
}

async function openOn({ folder }: SmallDisk): Promise<Scene> {
  const file = join(folder, 'store.db');
  const told: string[] = [];
  const store = await openFileStore({
    file,
    reserveBytes: 4 * MIB,
    onFault: ({ reason }) => told.push(reason),
    onRecovered: () => told.push('recovered'),
    onWarning: (text) => told.push(text.replace(/:.*| has.*/, '')),
  });
  return { store, reserve: `${file}.reserve`, told };
}

/** Fills the disk; answers the numbers of the rows that were acknowledged. */
async function fill({ buckets }: Store): Promise<number[]> {
  const written: number[] = [];
  const value = { text: 'x'.repeat(40_000) };
  for (let ts = 0; ; ts++) {
    try {
      await buckets.write(KEY, [{ ts, value }]);
      written.push(ts);
    } catch (error) {
      assert.partialDeepStrictEqual({ ...(error as object) }, { statusCode: 507, reason: 'full' });
      return written;
    }
  }
}

async function recovered({ store }: Scene): Promise<void> {
  for (let waited = 0; store.fault !== undefined; waited++) {
    assert.ok(waited < 500, 'never works again');
    await setTimeout(20);
  }
}

describe('the reserve of a store for a full disk', function () {
  this.timeout(60_000);

  it('is given up so that what is removed is written, and nothing else, and is made again', async function () {
    const disk = smallDisk(8);
    if (disk === undefined) return this.skip();
    const scene = await openOn(disk);
    const { store, reserve, told } = scene;
    const { buckets, documents, properties } = store;
    assert.ok(statSync(reserve).blocks * 512 >= 4 * MIB, 'it is not sparse');
    if (process.platform !== 'win32') assert.equal(statSync(reserve).mode & 0o777, 0o600);
    await documents.put(TOKEN, { enabled: true });
    await buckets.define(KEY, {});
    const written = await fill(store);
    assert.ok(written.length > 20, `${written.length} rows`);
    assert.equal(statSync(reserve).size, 0);
    for (let round = 0; round < 3; round++) {
      await assert.rejects(properties.set(OWNER, 'p', 1), full);
      await assert.rejects(documents.put(TOKEN, { enabled: true }), full);
    }
    await documents.put(TOKEN, { enabled: false }, undefined, { revokes: true });
    assert.equal(await documents.remove(TOKEN), true);
    assert.deepEqual(
      (await buckets.range(KEY, { fields: [] })).rows.map(({ ts }) => ts),
      written,
    );
    await buckets.remove(KEY);
    await recovered(scene);
    assert.equal(statSync(reserve).size, 4 * MIB);
    await properties.set(OWNER, 'p', 1);
    assert.deepEqual(told, ['the disk is full', 'full', 'the disk', 'recovered']);
    assert.deepEqual(await store.check(), []);
  });

  it('is still given up after a restart, and is made again when the disk has got room', async function () {
    const disk = smallDisk(8);
    if (disk === undefined) return this.skip();
    const first = await openOn(disk);
    await first.store.buckets.define(KEY, {});
    const written = await fill(first.store);
    await first.store.close();
    writeFileSync(join(disk.folder, 'of another program'), Buffer.alloc(2 * MIB));
    const second = await openOn(disk);
    await assert.rejects(second.store.properties.set(OWNER, 'p', 1), full);
    assert.equal(second.store.fault?.reason, 'full');
    assert.equal(await second.store.buckets.count(KEY), written.length);
    disk.remount('size=20m');
    await recovered(second);
    await second.store.properties.set(OWNER, 'p', 1);
    assert.equal(statSync(second.reserve).size, 4 * MIB);
  });

  it('is none on a disk that has no room for it, and the store works all the same', async function () {
    const disk = smallDisk(3);
    if (disk === undefined) return this.skip();
    const { store, reserve, told } = await openOn(disk);
    await store.properties.set(OWNER, 'p', 1);
    assert.equal(existsSync(reserve), false);
    assert.deepEqual(told, ['there is no reserve for a full disk, as the disk']);
  });

  it('is there beside every store in a file, unless it is not wanted, and stays as it is', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const options = { file, reserveBytes: MIB };
    await (await openFileStore(options)).close();
    const bytes = readFileSync(`${file}.reserve`);
    assert.equal(bytes.length, MIB);
    await (await openFileStore(options)).close();
    assert.deepEqual(readFileSync(`${file}.reserve`), bytes);
    writeFileSync(`${file}.reserve`, 'cut');
    await (await openFileStore(options)).close();
    assert.equal(statSync(`${file}.reserve`).size, MIB);
    const other = join(temporaryFolder(), 'store.db');
    await openFileStore({ file: other, reserveBytes: 0 });
    assert.equal(existsSync(`${other}.reserve`), false);
    for (const reserveBytes of [-1, 0.5, Number.NaN]) {
      await assert.rejects(openFileStore({ reserveBytes }), { code: 'IOTMP_ERR_CONFIG' });
    }
  });
});

describe('writes on a full disk', () => {
  const job = (id: number, name: WriteJob['name'], args: object = {}): WriteJob =>
    ({ id, kind: 'write', name, args }) as WriteJob;
  const failure = toFailure(storageError('full', 'f'));

  it('are done again with the room of the reserve where they make room, and refused where not', () => {
    let isGivenUp = false;
    const seen: number[][] = [];
    const group = new ReservedGroup({
      file: 'f',
      db: { exec: () => undefined },
      group: {
        run: (jobs) => {
          seen.push(jobs.map(({ id }) => id));
          return jobs.map(({ id }): JobAnswer => (isGivenUp ? { id, value: id } : { id, failure }));
        },
      },
      reserve: {
        get isGivenUp() {
          return isGivenUp;
        },
        giveUp: () => (isGivenUp = true),
        restore: () => undefined,
      },
    });
    const jobs = [
      job(1, 'propertySet'),
      job(2, 'documentRemove'),
      job(3, 'documentPut', { revokes: true }),
      job(4, 'documentPut', { revokes: false }),
    ];
    const outcomes = (answers: readonly JobAnswer[]): unknown[] =>
      answers.map((answer) => [answer.id, 'failure' in answer ? answer.failure.statusCode : 'done']).sort();
    const expected = [
      [1, 507],
      [2, 'done'],
      [3, 'done'],
      [4, 507],
    ];
    assert.deepEqual(outcomes(group.run(jobs)), expected);
    assert.equal(group.fault?.reason, 'full');
    assert.deepEqual(outcomes(group.run(jobs)), expected);
    assert.deepEqual(seen, [
      [1, 2, 3, 4],
      [2, 3],
      [2, 3],
    ]);
  });
});
