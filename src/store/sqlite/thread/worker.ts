import { parentPort, type MessagePort } from 'node:worker_threads';
import { errorText } from '../../../errors';
import { findDamage, openDatabase } from '../database/open-database';
import { toIotmpError } from '../database/sqlite-fault';
import { DamagedRecords } from '../../damaged-records';
import { Statements } from '../database/statements';
import { Sweeper } from '../tables/sweeper';
import { openTables } from '../tables/tables';
import { GroupCommit } from './group-commit';
import { JobLoop } from './job-loop';
import {
  toFailure,
  type JobAnswer,
  type DatabaseSettings,
  type Job,
  type Opening,
  type Report,
} from './messages';

/**
 * The thread of a `StoreThread`: opens a database, does its jobs until it is closed, and then waits for the next one. What
 * is thrown here ends the thread, and the store takes its file up again with another one.
 */
function serve(port: MessagePort): void {
  let loop: JobLoop | undefined;
  const report = (message: Report): void => port.postMessage(message);
  const open = ({ id, settings }: Opening): JobAnswer => {
    try {
      loop = openLoop(settings, report, () => (loop = undefined));
      return { id, value: undefined };
    } catch (error) {
      return { id, failure: toFailure(toIotmpError(error, settings.file)) };
    }
  };
  port.on('message', (message: Opening | readonly Job[]) => {
    if ('settings' in message) report({ answers: [open(message)] });
    else loop?.accept(message);
  });
}

/**
 * Opens a database and takes jobs from then on.
 * @param end is called after the last report
 * @throws StorageError as {@link openDatabase} does
 */
function openLoop(settings: DatabaseSettings, report: (report: Report) => void, end: () => void): JobLoop {
  const { file, limits } = settings;
  const db = openDatabase(settings);
  const sql = new Statements(db);
  const found = new FoundDamage();
  const tables = openTables(sql, limits, found.records);
  return new JobLoop({
    tables,
    group: new GroupCommit({ db, sql, file, tables }),
    changes: () => sql.number('SELECT total_changes()'),
    sweeper: new Sweeper(db, sql, tables.points),
    check: () => findDamage(db, 'integrity_check'),
    close: () =>
      closeDatabase(
        () => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
        () => db.close(),
      ),
    toError: (error) => toIotmpError(error, file),
    report: (news) => report(found.addTo(news)),
    end,
  });
}

/** The records that this thread has found damaged, on their way into the next report. */
class FoundDamage {
  #names: string[] = [];
  readonly records = new DamagedRecords((name) => this.#names.push(name));

  addTo(report: Report): Report {
    if (this.#names.length === 0) return report;
    const damaged = this.#names;
    this.#names = [];
    return { ...report, damaged };
  }
}

/** The file is let go of even if its log could not be brought into it; the log is then used at the next opening. */
function closeDatabase(checkpoint: () => void, close: () => void): void {
  try {
    checkpoint();
  } finally {
    close();
  }
}

/** Older versions of Node.js warn at each start that SQLite is an experiment; this package knows. */
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${errorText(warning)}\n`);
});

if (parentPort !== null) serve(parentPort);
