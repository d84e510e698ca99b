import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { StorageError } from '../../../src/errors';
import { openStore } from '../../../src/store/open-store';
import { runChild } from './support/child';
import { countThreads } from './support/count-threads';
import { OPENED, startScript } from './support/scripted-worker';
import { openFileStore, withCode } from './support/stores';

const NAME = { user: 'u', owner: '', name: 'p' };
const OWNER = { user: 'u', owner: '' };

/** Answers every job with the number of those that came with it. */
const ANSWERING = `${OPENED}
  parentPort.on('message', (jobs) => {
    if (!Array.isArray(jobs)) return;
    parentPort.postMessage({ answers: jobs.map(({ id }) => ({ id, value: jobs.length })) });
  });`;

/** Does something with each message after the opening. */
const doing = (code: string): string =>
  `${OPENED} parentPort.on('message', (jobs) => { if (Array.isArray(jobs)) { ${code} } });`;

describe('the thread of a store', () => {
  it('that dies fails all that waits, and all that comes', async () => {
    const { database, faults } = startScript(doing("throw new Error('boom');"));
    const { jobs } = database;
    await database.attempted;
    const waiting = [jobs.read('propertyGet', NAME), jobs.write('propertyRemove', NAME, 0), jobs.check()];
    for (const outcome of await Promise.allSettled(waiting)) {
      assert.equal(outcome.status, 'rejected');
      assert.match(String(outcome.reason), /boom/);
    }
    await assert.rejects(jobs.read('propertyGet', NAME), withCode('IOTMP_ERR_STORAGE', 'failed'));
    assert.deepEqual(faults, [database.fault]);
    await database.close();
    assert.equal(faults.length, 1);
  });

  it('that ends without a word is noticed', async () => {
    const { database, faults } = startScript(doing('process.exit(3);'));
    await database.attempted;
    await assert.rejects(database.jobs.check(), /ended with code 3/);
    assert.equal(faults.length, 1);
  });

  it('that cannot start fails the opening, and is no fault of an open store', async () => {
    const { database, faults } = startScript("throw new Error('no such thing');");
    await database.attempted;
    assert.match(database.fault?.message ?? '', /no such thing/);
    await assert.rejects(database.jobs.check(), withCode('IOTMP_ERR_STORAGE', 'failed'));
    await database.close();
    assert.deepEqual(faults, []);
  });

  it('that dies while it closes does not keep the store from closing', async () => {
    const { database, told } = startScript(doing('process.exit(1);'));
    await database.attempted;
    const read = assert.rejects(database.jobs.check(), withCode('IOTMP_ERR_CLOSED'));
    await database.close();
    await read;
    assert.deepEqual(told, ['failed']);
  });

  it('gets what is asked for in one turn as one message', async () => {
    const { database } = startScript(ANSWERING);
    await database.attempted;
    const { jobs } = database;
    const sizes = await Promise.all(Array.from({ length: 5 }, () => jobs.write('propertyClear', OWNER, 0)));
    assert.deepEqual(sizes, [5, 5, 5, 5, 5]);
  });

  it('is not asked for more than the limits of number and size', async () => {
    const { database } = startScript(ANSWERING, { waitingJobs: 3, waitingBytes: 100 });
    await database.attempted;
    const { jobs } = database;
    const settled = await Promise.allSettled([
      jobs.write('propertyClear', OWNER, 1000),
      jobs.write('propertyClear', OWNER, 1),
      jobs.read('propertyGet', NAME),
      jobs.read('propertyGet', NAME),
      jobs.read('propertyGet', NAME),
    ]);
    const outcomes = settled.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'done',
    );
    assert.deepEqual(outcomes, ['done', 'IOTMP_ERR_BUSY', 'done', 'done', 'IOTMP_ERR_BUSY']);
    assert.equal(await jobs.write('propertyClear', OWNER, 1), 1);
  });

  it('can be closed while as much waits as may', async () => {
    const { database } = startScript(ANSWERING, { waitingJobs: 1 });
    await database.attempted;
    const read = database.jobs.check();
    await database.close();
    assert.equal(await read, 2);
  });

  it('is not handed what no thread can be handed, and the rest goes on', async () => {
    const { buckets, properties } = await openFileStore();
    const key = { user: 'u', bucket: 'b' };
    await buckets.define(key, {});
    const timeZone = (() => 'UTC') as unknown as string;
    const [bad, good] = await Promise.allSettled([
      buckets.aggregate(key, { span: '1h', function: 'mean', timeZone }),
      properties.set({ user: 'u' }, 'p', 1),
    ]);
    assert.equal(bad.status, 'rejected');
    assert.equal((bad.reason as StorageError).code, 'IOTMP_ERR_CONFIG');
    assert.deepEqual(good, { status: 'fulfilled', value: 'created' });
  });

  it('tells listeners that throw, and goes on', async () => {
    const warning = once(process, 'warning') as Promise<[Error]>;
    const { database, told } = startScript(
      doing(`parentPort.postMessage({
        answers: jobs.map(({ id }) => ({ id, value: [] })),
        fault: { code: 'IOTMP_ERR_STORAGE', reason: 'io', message: 'a bad disk' },
      });`),
      {},
      {
        onFault: () => {
          throw new Error('a listener of the owner');
        },
      },
    );
    await database.attempted;
    assert.deepEqual(await database.jobs.check(), []);
    assert.match((await warning)[0].message, /a listener of the owner/);
    assert.deepEqual([database.fault?.reason, told], ['io', []]);
    assert.deepEqual(await database.jobs.check(), []);
  });

  it('is used again by the next store, with nothing of the one before', async () => {
    const threads = countThreads();
    const first = await openStore({ memory: true });
    await first.properties.set({ user: 'u' }, 'p', 1);
    await first.close();
    const started = threads();
    for (let round = 0; round < 3; round++) {
      const store = await openStore({ memory: true });
      assert.equal(await store.properties.get({ user: 'u' }, 'p'), undefined);
      await store.properties.set({ user: 'u' }, 'p', 1);
      await store.close();
    }
    assert.ok(started <= 1, `${started} threads`);
    assert.equal(threads(), started);
  });

  it('does not keep a process alive that has nothing to do but to leave its store open', async () => {
    const child = runChild(
      `require(process.argv[1]).openStore({ memory: true })
         .then((store) => store.properties.set({ user: 'u' }, 'p', 1))
         .then(console.log);`,
      [join(__dirname, '../../../src/store/open-store')],
      ['--import', 'tsx'],
    );
    assert.equal(await child.nextLine(), 'created');
    assert.deepEqual(await child.exited, [0, null]);
  });
});
