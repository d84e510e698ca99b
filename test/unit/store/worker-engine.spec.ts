import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { StorageError } from '../../../src/errors';
import { WorkerEngine } from '../../../src/store/sqlite/worker-engine';
import { storeLimits, type StoreLimits } from '../../../src/store/store-limits';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder, withCode } from './support/stores';

const OPENED = 'parentPort.postMessage({ answers: [{ id: 0, value: undefined }] });';
const ARGS = { user: 'u', device: '', name: 'p' };

interface Trial {
  readonly engine: WorkerEngine;
  readonly faults: StorageError[];
  readonly deaths: StorageError[];
}

/** An engine whose worker does as it is told. */
function start(code: string, limits: Partial<StoreLimits> = {}): Trial {
  const script = join(temporaryFolder(), 'worker.cjs');
  writeFileSync(script, `const { parentPort } = require('node:worker_threads'); ${code}`);
  const faults: StorageError[] = [];
  const deaths: StorageError[] = [];
  const settings = {
    file: 'f',
    busyTimeoutMs: 0,
    maxFileSize: undefined,
    limits: storeLimits('file', limits),
  };
  const listener = {
    onFault: (fault: StorageError) => faults.push(fault),
    onDeath: (fault: StorageError) => deaths.push(fault),
  };
  const engine = new WorkerEngine(settings, listener, script);
  cleanUp(() => engine.close());
  return { engine, faults, deaths };
}

/** Answers every job with the number of those that came with it. */
const ANSWERING = `${OPENED}
  parentPort.on('message', (jobs) => {
    parentPort.postMessage({ answers: jobs.map(({ id }) => ({ id, value: jobs.length })) });
    if (jobs.some(({ kind }) => kind === 'close')) parentPort.close();
  });`;

describe('the worker of a store', () => {
  it('that dies fails all that waits, and all that comes', async () => {
    const { engine, faults, deaths } = start(
      `${OPENED} parentPort.on('message', () => { throw new Error('boom'); });`,
    );
    await engine.opened;
    const waiting = [
      engine.read('propertyGet', ARGS),
      engine.write('propertyRemove', ARGS, 0),
      engine.check(),
    ];
    for (const outcome of await Promise.allSettled(waiting)) {
      assert.equal(outcome.status, 'rejected');
      assert.match(String(outcome.reason), /boom/);
    }
    await assert.rejects(engine.read('propertyGet', ARGS), withCode('IOTMP_ERR_STORAGE', 'failed'));
    assert.deepEqual(faults, [engine.fault]);
    await engine.close();
    assert.deepEqual(deaths, faults);
  });

  it('that ends without a word is noticed', async () => {
    const { engine, faults } = start(`${OPENED} parentPort.on('message', () => process.exit(3));`);
    await engine.opened;
    await assert.rejects(engine.check(), /ended with code 3/);
    assert.equal(faults.length, 1);
  });

  it('that cannot start fails the opening, and is no fault of an open store', async () => {
    const { engine, faults, deaths } = start("throw new Error('no such thing');");
    await assert.rejects(engine.opened, /no such thing/);
    await assert.rejects(engine.check(), withCode('IOTMP_ERR_STORAGE', 'failed'));
    assert.deepEqual(faults, []);
    await engine.close();
    assert.deepEqual(deaths, []);
  });

  it('that dies while it closes does not keep the store from closing', async () => {
    const { engine, deaths } = start(`${OPENED} parentPort.on('message', () => process.exit(1));`);
    await engine.opened;
    const read = assert.rejects(engine.check(), withCode('IOTMP_ERR_CLOSED'));
    await engine.close();
    await read;
    assert.deepEqual(deaths, []);
  });

  it('gets what is asked for in one turn as one message', async () => {
    const { engine } = start(ANSWERING);
    await engine.opened;
    const sizes = await Promise.all(Array.from({ length: 5 }, () => engine.write('propertyClear', ARGS, 0)));
    assert.deepEqual(sizes, [5, 5, 5, 5, 5]);
  });

  it('is not asked for more than the limits of number and size', async () => {
    const { engine } = start(ANSWERING, { waitingJobs: 3, waitingBytes: 100 });
    await engine.opened;
    const settled = await Promise.allSettled([
      engine.write('propertyClear', ARGS, 1000),
      engine.write('propertyClear', ARGS, 1),
      engine.read('propertyGet', ARGS),
      engine.read('propertyGet', ARGS),
      engine.read('propertyGet', ARGS),
    ]);
    const outcomes = settled.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'done',
    );
    assert.deepEqual(outcomes, ['done', 'IOTMP_ERR_BUSY', 'done', 'done', 'IOTMP_ERR_BUSY']);
    assert.equal(await engine.write('propertyClear', ARGS, 1), 1);
  });
});
