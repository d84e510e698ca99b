import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { IotmpError, StorageError } from '../../../errors';
import { guarded, warnProcess } from '../../../util/guard';
import { storageError } from '../database/sqlite-fault';
import type { CopyTask } from './copy-worker';
import { fromFailure, type Failure } from './messages';

const WORKER = join(__dirname, `copy-worker${extname(__filename)}`);

/** The part of a database's jobs that lets another connection read. */
export interface SharedFile {
  /** Lets others read the file. Resolves with false where the file system cannot. */
  share(): Promise<boolean>;
  /** Has the file for one connection again. */
  reclaim(): Promise<void>;
}

/**
 * Copies a database on a connection and in a thread of its own, so that writes go on meanwhile. The copy is one moment of the
 * database, at or after the call.
 * @throws IotmpError (as a rejection) StorageError as of the disk; IOTMP_ERR_ABORTED; IOTMP_ERR_CONFLICT where the file
 * system cannot share the file
 */
export async function copyDatabase(jobs: SharedFile, task: CopyTask, signal: AbortSignal): Promise<void> {
  if (!(await jobs.share())) {
    throw new IotmpError(
      'IOTMP_ERR_CONFLICT',
      'on this file system, a backup is a copy of the files of a stopped server',
    );
  }
  try {
    await runWorker(task, signal);
  } finally {
    // A store that failed or was closed meanwhile holds the file when it is opened again.
    await Promise.allSettled([jobs.reclaim()]);
  }
}

/** Resolves when the thread is gone: until then it may hold the file. */
async function runWorker(task: CopyTask, signal: AbortSignal): Promise<void> {
  const worker = new Worker(WORKER, { name: 'iotmp-backup', workerData: task });
  const told = Promise.withResolvers<Failure | undefined>();
  const exited = Promise.withResolvers<undefined>();
  const died = (why: string): void => told.reject(storageError('failed', task.file, why));
  worker.on(
    'message',
    guarded('backup told', warnProcess, (failure?: Failure) => told.resolve(failure)),
  );
  worker.on(
    'error',
    guarded('backup thread', warnProcess, (error: unknown) =>
      told.reject(StorageError.from(error, 'failed')),
    ),
  );
  worker.on(
    'exit',
    guarded('backup thread end', warnProcess, () => {
      died('the thread of the backup ended');
      exited.resolve(undefined);
    }),
  );
  const onAbort = guarded('backup given up', warnProcess, () => {
    told.reject(new IotmpError('IOTMP_ERR_ABORTED', 'the backup was given up'));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const failure = await told.promise;
    if (failure !== undefined) throw fromFailure(failure);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await worker.terminate();
    await exited.promise;
  }
}
