import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { describe, it } from 'mocha';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { smallDisk } from '../../support/small-disk';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

const OWNER = { user: 'ann', device: 'd' };

/** Sets 200 properties at once; answers which were answered with success, and the reasons of the others. */
async function setMany({ properties }: Store): Promise<{ done: string[]; reasons: unknown[] }> {
  const names = Array.from({ length: 200 }, (_, n) => `p${n}`);
  const outcomes = await Promise.allSettled(
    names.map((name) => properties.set(OWNER, name, 'x'.repeat(1000))),
  );
  const done = names.filter((_, n) => outcomes[n]?.status === 'fulfilled');
  const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  return { done, reasons };
}

async function worksAgain(store: Store): Promise<void> {
  for (let waited = 0; store.fault !== undefined; waited++) {
    assert.ok(waited < 500, 'never works again');
    await setTimeout(20);
  }
}

async function namesIn({ properties }: Store): Promise<Set<string>> {
  return new Set((await properties.list(OWNER, { limit: 1000 })).map(({ name }) => name));
}

describe('a store that really fails', function () {
  this.timeout(60_000);

  it('has all that it acknowledged when its thread was killed, and fails what waits with words', async () => {
    const threads: Worker[] = [];
    const onWorker = (worker: Worker): unknown => threads.push(worker);
    process.on('worker', onWorker);
    cleanUp(() => process.off('worker', onWorker));
    const file = join(temporaryFolder(), 'store.db');
    const first = await openFileStore({ file, reopenAfterMs: 20 });
    // A thread that is idle may be used again, and is not seen then.
    const store = threads.length > 0 ? first : await openFileStore({ file: `${file}2`, reopenAfterMs: 20 });
    await store.properties.set(OWNER, 'before', 1);
    const many = setMany(store);
    await threads.at(-1)?.terminate();
    const { done, reasons } = await many;
    for (const reason of reasons)
      assert.partialDeepStrictEqual({ ...(reason as object) }, withCode('IOTMP_ERR_STORAGE', 'failed'));
    assert.equal(done.length + reasons.length, 200);
    await worksAgain(store);
    const names = await namesIn(store);
    for (const name of ['before', ...done]) assert.ok(names.has(name), `${name} is lost`);
    await store.properties.set(OWNER, 'after', 1);
    assert.deepEqual(await store.check(), []);
  });

  it('refuses writes and reads on while its file system is read-only, and works again by itself', async function () {
    const disk = smallDisk(20);
    if (disk === undefined) return this.skip();
    const store = await openFileStore({ file: join(disk.folder, 'store.db'), reopenAfterMs: 20 });
    await store.properties.set(OWNER, 'before', 1);
    // What is open for writing keeps a file system from being remounted: then there is nothing to see here.
    try {
      disk.remount('ro');
    } catch {
      return this.skip();
    }
    const { done, reasons } = await setMany(store);
    assert.deepEqual([done.length, reasons.length], [0, 200]);
    assert.ok((await namesIn(store)).has('before'));
    disk.remount('rw');
    await store.properties.set(OWNER, 'after', 1);
    assert.equal(store.fault, undefined);
  });
});
