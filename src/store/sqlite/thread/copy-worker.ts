import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { copyInto } from '../database/kept-copy';
import { findDamage } from '../database/open-database';
import { storageError, toIotmpError } from '../database/sqlite-fault';
import { toFailure } from './messages';

/** What a thread that copies a database is started with. */
export interface CopyTask {
  /** A database that others write meanwhile. */
  readonly file: string;
  /** The copy, which must not be there yet. */
  readonly target: string;
}

const BUSY_TIMEOUT_MS = 5000;

/** Copies a database as it is at one moment, brings the copy to the disk and looks it through. */
function copyDatabase({ file, target }: CopyTask): void {
  const source = new DatabaseSync(file, { readOnly: true });
  try {
    source.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    copyInto(source, target);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(target, { readOnly: true });
  try {
    const [damage] = findDamage(copy, 'quick_check');
    if (damage !== undefined) throw storageError('corrupt', file, damage);
  } finally {
    copy.close();
  }
}

/** Of Node.js before 24, SQLite is an experiment; this package knows. */
process.removeAllListeners('warning');

const task = workerData as CopyTask;
try {
  copyDatabase(task);
  parentPort?.postMessage(undefined);
} catch (error) {
  parentPort?.postMessage(toFailure(toIotmpError(error, task.target)));
}
