import { makeCore } from '../core/core';
import { GroupCommit } from './group-commit';
import { JobLoop } from './job-loop';
import type { Job, Report, WorkerSettings } from './messages';
import { findDamage, openDatabase } from './open-database';
import { toIotmpError } from './sqlite-fault';
import { sqliteTables } from './sqlite-tables';
import { Statements } from './statements';
import { Sweeper } from './sweeper';

/** How the worker speaks. */
export interface WorkerVoice {
  readonly report: (report: Report) => void;
  /** Called after the last report. */
  readonly end: () => void;
}

/** Opens the file and takes jobs from then on. Throws what {@link openDatabase} throws. */
export function startJobs(
  settings: WorkerSettings,
  { report, end }: WorkerVoice,
): (jobs: readonly Job[]) => void {
  const { file, limits } = settings;
  const db = openDatabase(settings);
  const sql = new Statements(db);
  const tables = sqliteTables(sql);
  const core = makeCore(tables, limits);
  const forget = (): void => {
    tables.forget();
    core.forget();
  };
  const group = new GroupCommit({ db, sql, file, writes: core.writes, forget });
  const loop = new JobLoop({
    core,
    commit: (jobs) => group.run(jobs),
    changes: () => sql.number('SELECT total_changes()'),
    sweeper: new Sweeper(db, sql, tables.points),
    check: () => findDamage(db, 'integrity_check'),
    close: () =>
      closeDatabase(
        () => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
        () => db.close(),
      ),
    toError: (error) => toIotmpError(error, file),
    report,
    end,
  });
  return (jobs) => loop.accept(jobs);
}

/** The file is let go of even if its log could not be brought into it; the log is then used at the next opening. */
function closeDatabase(checkpoint: () => void, close: () => void): void {
  try {
    checkpoint();
  } finally {
    close();
  }
}
