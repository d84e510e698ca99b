import { resolve } from 'node:path';
import { unusable } from '../../checks';
import type { StoreOptions } from '../../store-options';

/** The file of a database that is in memory, and gone when it is closed. */
export const IN_MEMORY = ':memory:';

/** How a database is opened. */
export interface DatabaseOptions {
  /** An absolute path, or {@link IN_MEMORY}. */
  readonly file: string;
  /** How long to wait for another process to let go of the file, in ms. */
  readonly busyTimeoutMs: number;
  /** Maximum size of the file, in bytes; undefined for no limit. */
  readonly maxFileSize: number | undefined;
  /** Size of the reserve for a full disk, in bytes; none without it. */
  readonly reserveBytes?: number;
  /** Whether nobody else needs the folder of the file. */
  readonly ownFolder?: boolean;
}

const BUSY_TIMEOUT_MS = 5000;
const MIN_FILE_SIZE = 1024 * 1024;
const RESERVE_BYTES = 4 * 1024 * 1024;

/** How to open the database of a store, with the defaults; `IOTMP_ERR_CONFIG` for options that are not usable. */
export function databaseOptions(options: StoreOptions): DatabaseOptions {
  const { reopenAfterMs } = options;
  if (reopenAfterMs !== undefined && !(reopenAfterMs >= 1 && reopenAfterMs < 2 ** 31)) {
    throw unusable('reopenAfterMs has to be 1 ms or more');
  }
  if (!('file' in options)) return { file: IN_MEMORY, busyTimeoutMs: 0, maxFileSize: undefined };
  const { file, busyTimeoutMs = BUSY_TIMEOUT_MS, maxFileSize, ownFolder = false } = options;
  const { reserveBytes = maxFileSize === undefined ? RESERVE_BYTES : 0 } = options;
  if (file === '') throw unusable('the path of the file is empty');
  if (!(busyTimeoutMs >= 0 && busyTimeoutMs < 2 ** 31)) {
    throw unusable('busyTimeoutMs has to be a number of milliseconds');
  }
  if (maxFileSize !== undefined && !(maxFileSize >= MIN_FILE_SIZE)) {
    throw unusable(`maxFileSize has to be ${MIN_FILE_SIZE} bytes or more`);
  }
  if (!(Number.isInteger(reserveBytes) && reserveBytes >= 0)) {
    throw unusable('reserveBytes has to be a number of bytes');
  }
  return { file: resolve(file), busyTimeoutMs, maxFileSize, reserveBytes, ownFolder };
}
