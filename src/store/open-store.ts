import { StorageError } from '../errors';
import { nodeFault } from '../util/node-floor';
import { openSqliteStore } from './sqlite/sqlite-store';
import type { Store } from './store';
import type { StoreOptions } from './store-options';

/**
 * Opens a store. It is kept by the SQLite of Node.js, in a file or in memory.
 *
 * Rejects with `IOTMP_ERR_CONFIG` for options that are not usable, and with a StorageError for a file that is not: one that
 * another process uses (`locked`), that is damaged (`corrupt`), that a newer version (`newer`) or another program
 * (`foreign`) has written, that cannot be opened (`unavailable`) or written (`readonly`). Whatever is in the file is left
 * as it is. With `reopenAfterMs` the store is there nevertheless, has a `fault`, and opens the file as soon as it can.
 * Where Node.js is older than 22.13 or has no SQLite, every store is refused (`unsupported`).
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const fault = nodeFault();
  if (fault !== undefined) throw new StorageError('unsupported', fault);
  return openSqliteStore(options);
}
