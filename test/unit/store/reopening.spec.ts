import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import { FakeClock } from '../support/fake-clock';
import { startScript } from './support/scripted-worker';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

const OWNER = { user: 'ann', device: 'd' };

/**
 * A thread that opens its database or not, as a file says that it reads, and after some time. It dies where that file says
 * so when it is asked for a check.
 */
const SCRIPT = `
  const { readFileSync } = require('node:fs');
  const orders = () => JSON.parse(readFileSync(__dirname + '/orders', 'utf8'));
  parentPort.on('message', (message) => {
    const { failure, delayMs, dies } = orders();
    const [{ id }] = Array.isArray(message) ? message : [message];
    if (!Array.isArray(message)) {
      const answer = failure === undefined ? { id, value: undefined } : { id, failure };
      setTimeout(() => parentPort.postMessage({ answers: [answer] }), delayMs);
    } else if (dies) throw new Error('boom');
    else parentPort.postMessage({ answers: [{ id, value: [] }] });
  });`;

const LOCKED = { code: 'IOTMP_ERR_STORAGE', reason: 'locked', message: 'somebody uses it', statusCode: 503 };
const ODD = { code: 'IOTMP_ERR_PROTOCOL', message: 'odd', statusCode: 400 };

interface Orders {
  readonly failure?: typeof LOCKED | typeof ODD;
  readonly delayMs?: number;
  readonly dies?: boolean;
}

/** A database that can be opened or not, and what was told of it. */
function scene(first: Orders) {
  const clock = new FakeClock();
  const folder = temporaryFolder();
  const order = (orders: Orders): void => writeFileSync(join(folder, 'orders'), JSON.stringify(orders));
  order(first);
  const script = SCRIPT.replaceAll('__dirname', JSON.stringify(folder));
  const { database, told } = startScript(script, {}, { reopenAfterMs: 100, clock });
  const { jobs } = database;
  return { database, jobs, clock, told, order };
}

/** Waits until a timer is set: the thread that died has let go of the file. */
async function timerOf(clock: FakeClock): Promise<void> {
  while (clock.pending === 0) await setImmediate();
}

async function garbage(): Promise<string> {
  const file = join(temporaryFolder(), 'store.db');
  writeFileSync(file, Buffer.alloc(20_000, 'no database at all '));
  await assert.rejects(openStore({ file }), withCode('IOTMP_ERR_STORAGE', 'corrupt'));
  return file;
}

describe('a file that is opened again and again', () => {
  it('fails what is asked of it until it can be opened', async () => {
    const { database, jobs, clock, told, order } = scene({ failure: LOCKED });
    await database.attempted;
    assert.equal(database.fault?.reason, 'locked');
    await assert.rejects(jobs.check(), withCode('IOTMP_ERR_STORAGE', 'locked'));
    const { attempted } = database;
    await clock.advance(99);
    assert.equal(database.attempted, attempted, 'not yet');
    await clock.advance(1);
    assert.notEqual(database.attempted, attempted);
    await database.attempted;
    order({ failure: ODD });
    await clock.advance(100);
    await database.attempted;
    await assert.rejects(jobs.check(), withCode('IOTMP_ERR_STORAGE', 'unavailable'));
    order({});
    await clock.advance(100);
    await database.attempted;
    assert.deepEqual(await jobs.check(), []);
    assert.equal(database.fault, undefined);
    assert.equal(clock.pending, 0);
    assert.deepEqual(told, ['locked', 'unavailable', 'recovered']);
  });

  it('is opened again when the thread died that had it open', async () => {
    const { database, jobs, clock, told, order } = scene({});
    await database.attempted;
    assert.deepEqual(await jobs.check(), []);
    order({ dies: true });
    await assert.rejects(jobs.check(), withCode('IOTMP_ERR_STORAGE', 'failed'));
    await assert.rejects(jobs.check(), withCode('IOTMP_ERR_STORAGE', 'failed'));
    assert.deepEqual([database.fault?.reason, told], ['failed', ['failed']]);
    order({});
    await timerOf(clock);
    await clock.advance(100);
    await database.attempted;
    assert.deepEqual([await jobs.check(), database.fault], [[], undefined]);
    order({ dies: true });
    await assert.rejects(jobs.check());
    order({ failure: LOCKED });
    await timerOf(clock);
    await clock.advance(100);
    await database.attempted;
    assert.deepEqual(told, ['failed', 'recovered', 'failed', 'locked']);
    await database.close();
    assert.equal(clock.pending, 0);
  });

  it('is opened no more once the store is closed', async () => {
    const { database, clock } = scene({ failure: LOCKED });
    const { attempted } = database;
    await attempted;
    await database.close();
    assert.equal(clock.pending, 0);
    assert.equal(database.attempted, attempted);
  });

  it('is opened no more where the store is closed before its thread has ended', async () => {
    const { database, jobs, clock } = scene({ dies: true });
    await database.attempted;
    await assert.rejects(jobs.check(), withCode('IOTMP_ERR_STORAGE', 'failed'));
    await database.close();
    assert.equal(clock.pending, 0);
  });

  it('is closed again where the store was closed while it was being opened', async () => {
    const { database, jobs, told } = scene({ delayMs: 50 });
    await assert.rejects(jobs.check(), { code: 'IOTMP_ERR_BUSY' });
    const ended = database.close();
    await assert.rejects(jobs.check(), { code: 'IOTMP_ERR_CLOSED' });
    await ended;
    assert.deepEqual(told, []);
  });

  it('is used as soon as the file is sound', async () => {
    const file = await garbage();
    const recovered = Promise.withResolvers<undefined>();
    const faults: string[] = [];
    const store = await openFileStore({
      file,
      reopenAfterMs: 20,
      onFault: ({ reason }) => faults.push(reason),
      onRecovered: () => recovered.resolve(undefined),
    });
    assert.equal(store.fault?.reason, 'corrupt');
    await assert.rejects(store.properties.set(OWNER, 'p', 1), withCode('IOTMP_ERR_STORAGE', 'corrupt'));
    rmSync(file);
    await recovered.promise;
    await store.properties.set(OWNER, 'p', 2);
    assert.equal((await store.properties.get(OWNER, 'p'))?.value, 2);
    assert.deepEqual(await store.check(), []);
    assert.equal(store.fault, undefined);
    assert.deepEqual(faults, ['corrupt']);
  });

  it('is asked for with a usable time', async () => {
    const file = join(temporaryFolder(), 'store.db');
    for (const reopenAfterMs of [0, -1, Number.NaN, 2 ** 31]) {
      await assert.rejects(openStore({ file, reopenAfterMs }), { code: 'IOTMP_ERR_CONFIG' });
    }
  });
});
