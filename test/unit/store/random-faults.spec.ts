import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { DamagedRecords } from '../../../src/store/damaged-records';
import { IotmpError, StorageError } from '../../../src/errors';
import { IN_MEMORY } from '../../../src/store/sqlite/database/database-options';
import { SqliteBuckets } from '../../../src/store/sqlite/tables/buckets';
import { SqliteProperties } from '../../../src/store/sqlite/tables/properties';
import { DatabaseSupervisor } from '../../../src/store/sqlite/thread/database-supervisor';
import { storeLimits } from '../../../src/store/store-limits';
import { cleanUp } from '../../support/clean-up';
import { countThreads } from './support/count-threads';
import { temporaryFolder } from './support/stores';

const THREAD = join(__dirname, '../../../src/store/sqlite/thread');
const KEY = { user: 'u', bucket: 'b' };
const OWNER = { user: 'u', device: 'd' };
const DEATHS = 6;
const AT_ONCE = 20;
/** Nothing may take as long as this. */
const PATIENCE_MS = 15_000;

/** The real worker, in which everything throws now and then, while there is a file `faults` beside it. */
const FAULTY_WORKER = `
  const { existsSync } = require('node:fs');
  const { DatabaseSync, StatementSync } = require('node:sqlite');
  const { parentPort } = require('node:worker_threads');
  const { JobLoop } = require(${JSON.stringify(`${THREAD}/job-loop`)});
  const { ReadQueue } = require(${JSON.stringify(`${THREAD}/read-queue`)});
  const { GroupCommit } = require(${JSON.stringify(`${THREAD}/group-commit`)});
  const break_ = (target, chance, ...names) => {
    for (const name of names) {
      const original = target[name];
      target[name] = function (...args) {
        if (Math.random() < chance && existsSync(__dirname + '/faults')) throw new Error('a fault of ' + name);
        return original.apply(this, args);
      };
    }
  };
  break_(StatementSync.prototype, 0.002, 'get', 'all', 'run');
  break_(DatabaseSync.prototype, 0.002, 'exec', 'prepare');
  break_(JobLoop.prototype, 0.01, 'accept');
  break_(ReadQueue.prototype, 0.01, 'run');
  break_(GroupCommit.prototype, 0.01, 'run');
  break_(parentPort, 0.01, 'postMessage');
  require(${JSON.stringify(`${THREAD}/worker`)});`;

/** A store over the faulty worker. */
function faultyStore(file: string) {
  const folder = temporaryFolder();
  const script = join(folder, 'worker.cjs');
  const faults = join(folder, 'faults');
  writeFileSync(script, FAULTY_WORKER);
  writeFileSync(faults, '');
  const told: string[] = [];
  const threads = countThreads();
  const limits = storeLimits('file');
  const database = new DatabaseSupervisor({
    settings: { file, busyTimeoutMs: 1000, maxFileSize: undefined, limits },
    reopenAfterMs: 1,
    script,
    onFault: ({ reason, message }) => told.push(`${reason} ${message}`),
    onRecovered: () => told.push('recovered'),
  });
  cleanUp(() => database.close());
  const context = {
    database: database.jobs,
    limits,
    damaged: new DamagedRecords((name) => assert.fail(name)),
    now: Date.now,
  };
  return {
    database,
    told,
    buckets: new SqliteBuckets(context),
    properties: new SqliteProperties(context),
    deaths: () => threads() - 1,
    endFaults: () => rmSync(faults),
  };
}

/** Waits until the store is open, for which it may take some attempts. */
async function untilOpen({ database }: ReturnType<typeof faultyStore>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (database.jobs.refusal !== undefined) {
    assert.ok(Date.now() < end, `not taken up again: ${String(database.jobs.refusal)}`);
    await setTimeout(5);
  }
}

/** Fails where a promise does not settle, or rejects with something else than an error of the catalogue. */
async function outcomeOf(promise: Promise<unknown>): Promise<boolean> {
  const late = Symbol('late');
  try {
    const result = await Promise.race([promise, setTimeout(PATIENCE_MS, late, { ref: false })]);
    assert.notEqual(result, late, 'a promise that never settles');
    return true;
  } catch (error) {
    assert.ok(error instanceof IotmpError, String(error));
    assert.ok(error instanceof StorageError || error.code === 'IOTMP_ERR_NOT_FOUND', String(error));
    return false;
  }
}

describe('a store in whose thread everything throws now and then', () => {
  for (const kind of ['file', 'memory'] as const) {
    it(`settles every promise, tells of faults, and takes up its work again (${kind})`, async () => {
      const store = faultyStore(kind === 'file' ? join(temporaryFolder(), 'store.db') : IN_MEMORY);
      const { buckets, properties } = store;
      const written: number[] = [];
      for (let round = 0; store.deaths() < DEATHS; round++) {
        assert.ok(round < 5000, 'there were not enough faults');
        await untilOpen(store);
        const work = Array.from({ length: AT_ONCE }, async (_, index) => {
          const ts = round * AT_ONCE + index;
          const rows = [{ ts, device: 'd', value: { ts } }];
          if (await outcomeOf(buckets.write(KEY, rows, {}))) written.push(ts);
          await outcomeOf(properties.set(OWNER, `p${index}`, ts));
          await outcomeOf(properties.get(OWNER, `p${index}`));
          await outcomeOf(buckets.range(KEY, { minTs: ts }));
        });
        await Promise.all(work);
      }
      store.endFaults();
      await untilOpen(store);
      assert.equal(await properties.set(OWNER, 'last', 1), 'created');
      assert.ok(store.told.filter((text) => text === 'recovered').length >= DEATHS, store.told.join('\n'));
      assert.ok(written.length > 0);
      if (kind === 'memory') return;
      for (const ts of written) {
        const { rows } = await buckets.range(KEY, { minTs: ts, maxTs: ts });
        assert.equal(rows.length, 1, `the row ${ts} is lost`);
      }
      assert.deepEqual(await store.database.jobs.check(), []);
    }).timeout(120_000);
  }
});
