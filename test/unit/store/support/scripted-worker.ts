import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageError } from '../../../../src/errors';
import {
  DatabaseSupervisor,
  type SupervisorOptions,
} from '../../../../src/store/sqlite/thread/database-supervisor';
import { storeLimits, type StoreLimits } from '../../../../src/store/store-limits';
import { cleanUp } from '../../../support/clean-up';
import { temporaryFolder } from './stores';

/** A database whose thread does as it is told, and what was told of it. */
export interface Trial {
  readonly database: DatabaseSupervisor;
  /** The reasons of faults, and `recovered`. */
  readonly told: string[];
  readonly faults: StorageError[];
}

/** Answers the opening; what follows is for the script. */
export const OPENED = `parentPort.once('message', ({ id }) => parentPort.postMessage({ answers: [{ id, value: undefined }] }));`;

/** Supervises a thread that runs `code`, in which there is `parentPort`. */
export function startScript(
  code: string,
  limits: Partial<StoreLimits> = {},
  options: Partial<SupervisorOptions> = {},
): Trial {
  const script = join(temporaryFolder(), 'worker.cjs');
  writeFileSync(script, `const { parentPort } = require('node:worker_threads'); ${code}`);
  const told: string[] = [];
  const faults: StorageError[] = [];
  const settings = {
    file: 'f',
    busyTimeoutMs: 0,
    maxFileSize: undefined,
    limits: storeLimits('file', limits),
  };
  const database = new DatabaseSupervisor({
    settings,
    script,
    onFault: (fault) => {
      told.push(fault.reason);
      faults.push(fault);
    },
    onRecovered: () => told.push('recovered'),
    ...options,
  });
  cleanUp(() => database.close());
  return { database, told, faults };
}
