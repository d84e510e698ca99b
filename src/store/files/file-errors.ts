import { IotmpError, isError, StorageError, type StorageFault } from '../../errors';
import type { FileLimits } from './file-store';

/** What error numbers of a file system mean for a store. */
const REASONS: Readonly<Record<string, StorageFault>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'readonly',
  EACCES: 'readonly',
  EPERM: 'readonly',
};

const TEXTS = {
  full: 'no space is left for files',
  readonly: 'files cannot be written or read',
  io: 'the disk failed',
} as const;

export function noFile(path: string): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_FOUND', `there is no file or folder ${path}`);
}

/** Something is where something else is to be. */
export function inTheWay(path: string, text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFLICT', `${path} ${text}`);
}

export function fileTooLarge(bytes: number): IotmpError {
  return new IotmpError('IOTMP_ERR_TOO_LARGE', `a file has at most ${bytes} bytes`);
}

/** No room for more files. To HTTP it is as if the disk were full. */
export function noRoom({ storageBytes, storageEntries }: FileLimits): IotmpError {
  const text = `a storage has at most ${storageBytes} bytes and ${storageEntries} files and folders`;
  return new IotmpError('IOTMP_ERR_QUOTA', text, { statusCode: 507 });
}

/** The room that is left on the disk is not for files. */
export function diskFull(): StorageError {
  return new StorageError('full', TEXTS.full);
}

/** What a file system threw, as an error of the catalogue. It names no path of this machine. */
export function toFileError(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const reason = REASONS[error.code] ?? 'io';
  return new StorageError(reason, TEXTS[reason === 'full' || reason === 'readonly' ? reason : 'io'], {
    cause: error,
  });
}

/** Whether there is no file where one was looked for. */
export function isAbsent(error: unknown): boolean {
  return isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return isError(error) && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
