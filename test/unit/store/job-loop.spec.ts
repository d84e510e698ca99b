import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { DamagedRecords } from '../../../src/store/damaged-records';
import { IotmpError, StorageError, type StorageFault } from '../../../src/errors';
import { Statements } from '../../../src/store/sqlite/database/statements';
import type { Steps } from '../../../src/store/sqlite/tables/operations';
import { openTables } from '../../../src/store/sqlite/tables/tables';
import { JobLoop, type JobLoopParts } from '../../../src/store/sqlite/thread/job-loop';
import {
  toFailure,
  type JobAnswer,
  type Job,
  type Report,
  type WriteJob,
} from '../../../src/store/sqlite/thread/messages';
import { storeLimits } from '../../../src/store/store-limits';
import { cleanUp } from '../../support/clean-up';

/** A loop over parts that write down what happens. A write of a property of a fault's name fails with it. */
function setUp(parts: Partial<JobLoopParts> = {}, steps = 3) {
  const log: string[] = [];
  const reports: Report[] = [];
  let changes = 0;
  const db = new DatabaseSync(':memory:');
  cleanUp(() => db.close());
  const tables = openTables(
    new Statements(db),
    storeLimits('file'),
    new DamagedRecords((name) => assert.fail(name)),
  );
  function* read({ tag }: { readonly tag: string }): Steps<string[]> {
    for (let step = 1; step < steps; step++) {
      log.push(`${tag} ${step}`);
      // Longer than the time that reads have before others.
      for (const end = performance.now() + 11; performance.now() < end;);
      yield;
    }
    log.push(`${tag} end`);
    return [tag];
  }
  const commit = (jobs: readonly WriteJob[]): JobAnswer[] => {
    log.push(`commit ${jobs.map(({ id }) => id).join(' ')}`);
    return jobs.map((job) => {
      const fault = 'name' in job.args ? job.args.name : 'ok';
      if (fault === 'same') return { id: job.id, value: 'unchanged' };
      if (fault === 'quota')
        return { id: job.id, failure: toFailure(new IotmpError('IOTMP_ERR_QUOTA', 'q')) };
      if (fault !== 'ok')
        return { id: job.id, failure: toFailure(new StorageError(fault as StorageFault, 'x')) };
      changes++;
      return { id: job.id, value: true };
    });
  };
  const loop = new JobLoop({
    tables: { ...tables, longReads: { ...tables.longReads, bucketTagValues: read } },
    group: { run: commit },
    changes: () => changes,
    sweeper: { hasWork: false, wake: () => log.push('wake'), step: () => undefined },
    share: () => true,
    reclaim: () => undefined,
    check: () => [],
    close: () => log.push('close'),
    toError: (error) => error as IotmpError,
    report: (report) => reports.push(report),
    end: () => log.push('end'),
    ...parts,
  });
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await setImmediate();
  };
  return { loop, log, reports, until };
}

const write = (id: number, name = 'ok'): Job => ({
  id,
  kind: 'write',
  name: 'propertyRemove',
  args: { user: 'u', owner: '', name },
});
const read = (id: number, tag: string): Job => ({
  id,
  kind: 'longRead',
  name: 'bucketTagValues',
  args: { user: 'u', bucket: 'b', tag, minTs: 0, maxTs: 0, devices: undefined, tags: [] },
});

describe('the jobs of a store', () => {
  it('are all writes that wait, then a step of a read, and so on', async () => {
    const { loop, log, until } = setUp();
    loop.accept([read(1, 'A'), write(2), write(3)]);
    await until(() => log.includes('A 1'));
    loop.accept([write(4)]);
    await until(() => log.includes('A 2'));
    loop.accept([read(5, 'B'), write(6)]);
    await until(() => log.includes('B end'));
    assert.deepEqual(log, [
      'commit 2 3',
      'A 1',
      'commit 4',
      'A 2',
      'commit 6',
      'A end',
      'B 1',
      'B 2',
      'B end',
    ]);
  });

  it('give each read its turn', async () => {
    const { loop, log, until } = setUp();
    loop.accept([read(1, 'A'), read(2, 'B')]);
    await until(() => log.includes('B end'));
    assert.deepEqual(log, ['A 1', 'B 1', 'A 2', 'B 2', 'A end', 'B end']);
  });

  it('end with what was asked for before the end', async () => {
    const { loop, log, reports, until } = setUp();
    loop.accept([{ id: 9, kind: 'close' }, read(1, 'A'), write(2)]);
    await until(() => log.includes('end'));
    assert.deepEqual(log, ['commit 2', 'A 1', 'A 2', 'A end', 'close', 'end']);
    assert.deepEqual(reports.at(-1), { answers: [{ id: 9, value: undefined }] });
  });

  it('end even if the file cannot be brought into order', async () => {
    const close = (): void => {
      throw new StorageError('full', 'no space');
    };
    const { loop, log, reports, until } = setUp({ close });
    loop.accept([{ id: 9, kind: 'close' }]);
    await until(() => log.includes('end'));
    assert.partialDeepStrictEqual(reports, [{ answers: [{ id: 9, failure: { reason: 'full' } }] }]);
  });

  it('are not more than a group can take', async () => {
    const { loop, log, until } = setUp();
    loop.accept(Array.from({ length: 2500 }, (_, index) => write(index + 1)));
    await until(() => log.length === 3);
    assert.deepEqual(
      log.map((entry) => entry.split(' ').length - 1),
      [1000, 1000, 500],
    );
  });

  it('tell of a fault once, and of its end when something is written', async () => {
    const { loop, reports, until } = setUp();
    const news = async (name: string): Promise<unknown> => {
      const count = reports.length;
      loop.accept([write(count + 1, name)]);
      await until(() => reports.length > count);
      const { fault } = reports.at(-1)!;
      return fault?.reason ?? fault;
    };
    assert.equal(await news('ok'), undefined);
    assert.equal(await news('quota'), undefined);
    assert.equal(await news('full'), 'full');
    assert.equal(await news('full'), undefined);
    assert.equal(await news('quota'), undefined);
    assert.equal(await news('same'), undefined);
    assert.equal(await news('io'), 'io');
    assert.equal(await news('ok'), null);
    assert.equal(await news('ok'), undefined);
  });

  it('are no more writes once the file is known to be damaged', async () => {
    const { loop, log, reports, until } = setUp();
    loop.accept([write(1, 'corrupt')]);
    await until(() => reports.length === 1);
    loop.accept([write(2), read(3, 'A')]);
    await until(() => log.includes('A end'));
    assert.deepEqual(log, ['commit 1', 'A 1', 'A 2', 'A end']);
    assert.partialDeepStrictEqual(reports[1], { answers: [{ id: 2, failure: { reason: 'corrupt' } }] });
    assert.equal(
      reports.slice(1).some((report) => 'fault' in report),
      false,
    );
  });

  it('tell of a fault of a read or of the sweeper', async () => {
    const broken = {
      hasWork: true,
      wake: () => undefined,
      step() {
        this.hasWork = false;
        throw new StorageError('io', 'x');
      },
    };
    const { reports, until } = setUp({ sweeper: broken });
    await until(() => reports.length === 1);
    assert.partialDeepStrictEqual(reports, [{ answers: [], fault: { reason: 'io' } }]);
    const check = (): string[] => {
      throw new StorageError('corrupt', 'x');
    };
    const second = setUp({ check });
    second.loop.accept([{ id: 1, kind: 'check' }]);
    await second.until(() => second.reports.length === 1);
    assert.partialDeepStrictEqual(second.reports, [{ fault: { reason: 'corrupt' } }]);
  });
});
