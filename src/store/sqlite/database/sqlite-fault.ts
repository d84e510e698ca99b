import { errorText, IotmpError, isError, StorageError } from '../../../errors';
import { IN_MEMORY } from './database-options';

/** Primary result codes of SQLite and what they mean for a store. */
const REASONS: Readonly<Record<number, DatabaseFault>> = {
  3: 'unavailable',
  5: 'locked',
  6: 'locked',
  8: 'readonly',
  10: 'io',
  11: 'corrupt',
  13: 'full',
  14: 'unavailable',
  26: 'corrupt',
};

const TEXTS = {
  unavailable: 'the file cannot be opened',
  locked: 'another process, or another store of this one, uses the file',
  full: 'no space is left for the file',
  readonly: 'the file cannot be written',
  corrupt: 'the file is damaged; it is left as it is',
  foreign: 'the file is a database of another program; it is left as it is',
  newer: 'the file was written by a newer version; it is left as it is',
  io: 'the disk failed',
  failed: 'the store failed',
} as const;

/** Why a database cannot be used. */
export type DatabaseFault = keyof typeof TEXTS;

/** The error for a file that cannot be used. `detail` is what else is known. */
export function storageError(
  reason: DatabaseFault,
  file: string,
  detail?: string,
  cause?: unknown,
): StorageError {
  const where = file === IN_MEMORY ? 'in memory' : file;
  const text = `${where}: ${TEXTS[reason]}${detail === undefined ? '' : ` (${detail})`}`;
  return new StorageError(reason, text, { cause });
}

/** What was thrown by SQLite, by the file system or by our own code, as an error of the catalogue. */
export function toIotmpError(error: unknown, file: string): IotmpError {
  if (error instanceof IotmpError) return error;
  return storageError(reasonOf(error), file, errorText(error), error);
}

function reasonOf(error: unknown): DatabaseFault {
  if (!isError(error)) return 'failed';
  if ('errcode' in error && typeof error.errcode === 'number')
    return REASONS[error.errcode & 0xff] ?? 'failed';
  if (!('code' in error)) return 'failed';
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return 'full';
  return 'syscall' in error ? 'unavailable' : 'failed';
}
