import { IotmpError, type StorageError } from '../errors';
import type { StoreLimits } from './store-limits';

/** What all stores have in common. */
interface CommonOptions {
  /** Other limits than those that are usual. */
  readonly limits?: Partial<StoreLimits>;
  /** The time, in ms since 1970; that of the machine unless given. */
  readonly now?: () => number;
}

/** A store in the memory of the process: all is gone when it is closed. */
export interface MemoryStoreOptions extends CommonOptions {
  readonly memory: true;
}

/** A store in one file (and, while it is open, a log beside it). No other process can use the file meanwhile. */
export interface FileStoreOptions extends CommonOptions {
  /** Path of the file. It and its folder are made where they are missing, for the eyes of this user only. */
  readonly file: string;
  /** How long to wait for another process to let go of the file, in ms; 5,000 unless given. */
  readonly busyTimeoutMs?: number;
  /**
   * How long after an opening that failed, or after the death of the thread that has the file open, to try again, in ms:
   * for stores that come with a server, and are to be there as soon as they can. Unless given, each is the end.
   */
  readonly reopenAfterMs?: number;
  /** Most bytes that the file may have. What would make it larger fails as on a full disk. No limit unless given. */
  readonly maxFileSize?: number;
  /** Called when the store begins to fail, and when it fails for another reason. It must not throw. */
  readonly onFault?: (fault: StorageError) => void;
  /** Called when the store works again: something was written. It must not throw. */
  readonly onRecovered?: () => void;
}

/** Where and how things are kept. */
export type StoreOptions = MemoryStoreOptions | FileStoreOptions;

const BUSY_TIMEOUT_MS = 5000;
const MIN_FILE_SIZE = 1024 * 1024;

/** How to open a file, with the defaults; `IOTMP_ERR_CONFIG` for options that are not usable. */
export function databaseOptions({
  file,
  busyTimeoutMs = BUSY_TIMEOUT_MS,
  reopenAfterMs,
  maxFileSize,
}: FileStoreOptions): {
  file: string;
  busyTimeoutMs: number;
  maxFileSize: number | undefined;
} {
  if (file === '') throw new IotmpError('IOTMP_ERR_CONFIG', 'the path of the file is empty');
  if (!(busyTimeoutMs >= 0 && busyTimeoutMs < 2 ** 31)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', 'busyTimeoutMs has to be a number of milliseconds');
  }
  if (reopenAfterMs !== undefined && !(reopenAfterMs >= 1 && reopenAfterMs < 2 ** 31)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', 'reopenAfterMs has to be 1 ms or more');
  }
  if (maxFileSize !== undefined && !(maxFileSize >= MIN_FILE_SIZE)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `maxFileSize has to be ${MIN_FILE_SIZE} bytes or more`);
  }
  return { file, busyTimeoutMs, maxFileSize };
}
