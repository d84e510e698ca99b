import { chmodSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorText, StorageError } from '../../../errors';
import { PRIVATE_FILE } from '../../private-mode';
import { storageError, toIotmpError } from './sqlite-fault';

/**
 * Keeps a copy of a database under another name, such as before it is changed. The copy is whole and on the disk when this
 * returns; one of the same name is replaced.
 * @throws StorageError; then there is no new copy
 */
export function keepCopy(db: DatabaseSync, file: string, copy: string): void {
  const aside = `${copy}.part`;
  try {
    checkRoom(db, file, copy);
    rmSync(aside, { force: true });
    copyInto(db, aside);
    renameSync(aside, copy);
    syncFolder(dirname(copy));
  } catch (error) {
    rmSync(aside, { force: true });
    const cause = toIotmpError(error, file);
    const text = `a copy has to be kept, and cannot be: ${errorText(cause)}`;
    throw cause instanceof StorageError ? new StorageError(cause.reason, text, { cause }) : cause;
  }
}

/** Copies a database into a file that must not be there yet: for this user alone, whole, and on the disk. */
export function copyInto(db: DatabaseSync, target: string): void {
  // SQLite takes an empty file, and leaves its rights as they are.
  closeSync(openSync(target, 'wx', PRIVATE_FILE));
  db.prepare('VACUUM INTO ?').run(target);
  chmodSync(target, PRIVATE_FILE);
  sync(target, 'r+');
}

/** A copy that does not fit would fill the disk for others. */
function checkRoom(db: DatabaseSync, file: string, copy: string): void {
  const pages = db
    .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size')
    .get();
  const { bavail, bsize } = statfsSync(dirname(copy));
  const needed = Number(pages?.bytes);
  if (bavail * bsize < needed) throw storageError('full', file, `a copy needs ${needed} bytes`);
}

function syncFolder(path: string): void {
  // There folders cannot be opened, and are written with their files.
  if (process.platform !== 'win32') sync(path, 'r');
}

function sync(path: string, mode: 'r' | 'r+'): void {
  const handle = openSync(path, mode);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
