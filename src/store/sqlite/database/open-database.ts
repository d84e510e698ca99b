import { accessSync, constants, existsSync, mkdirSync, openSync, closeSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorText, isError } from '../../../errors';
import { makePrivate, PRIVATE_FILE, PRIVATE_FOLDER } from '../../private-mode';
import { IN_MEMORY, type DatabaseOptions } from './database-options';
import { checkVersion, migrate, MIGRATIONS } from './migrations';
import { storageError, toIotmpError } from './sqlite-fault';
import { inTransaction } from './transaction';

/** Files up to this size are looked through for damage when they are opened: a fraction of a second on a slow disk. */
const MAX_CHECKED_BYTES = 16 * 1024 * 1024;
const CACHE_KIB = 8192;
/** The log is cut to this size once its content is in the file. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** SQLITE_IOERR_SHMOPEN. */
const SHARED_MEMORY_FAILED = 4618;

/**
 * Opens a database for this process alone. The file, its folder and its tables are made where they are missing.
 *
 * @param warn gets what a person should know
 * @throws StorageError for a file that cannot be used; it is then as it was.
 */
export function openDatabase(
  options: DatabaseOptions,
  warn: (text: string) => void,
  migrations: readonly string[] = MIGRATIONS,
): DatabaseSync {
  const { file } = options;
  let db: DatabaseSync | undefined;
  try {
    if (file !== IN_MEMORY) prepareFile(options, warn);
    db = new DatabaseSync(file);
    setUp(db, options, warn, migrations);
    return db;
  } catch (error) {
    db?.close();
    throw toIotmpError(error, file);
  }
}

function setUp(
  db: DatabaseSync,
  options: DatabaseOptions,
  warn: (text: string) => void,
  migrations: readonly string[],
): void {
  const { file, busyTimeoutMs, maxFileSize } = options;
  db.exec(`
    PRAGMA busy_timeout = ${Math.round(busyTimeoutMs)};
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
  `);
  const version = checkVersion(db, file, migrations.length);
  // Only an empty file takes this setting.
  if (version === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  enterLog(db);
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = ${MAX_LOG_BYTES};
    PRAGMA cache_size = -${CACHE_KIB};
  `);
  migrate(db, file, warn, migrations);
  if (maxFileSize !== undefined) limitSize(db, maxFileSize);
  const [damage] = sizeOf(file) <= MAX_CHECKED_BYTES ? findDamage(db, 'quick_check') : [];
  if (damage !== undefined) throw storageError('corrupt', file, damage);
}

/**
 * Has the changes go into a log, and holds the file for as long as it is open, because a second process would not know what this one
 * remembers of the tables. Where the log is begun before the file is held, the file can be shared for a backup. Some file systems
 * of a network have no memory for that.
 */
function enterLog(db: DatabaseSync): void {
  if (!isSharedLog(db)) db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
  holdFile(db);
}

function isSharedLog(db: DatabaseSync): boolean {
  try {
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    // The log is begun by the next look at the file.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return mode === 'wal';
  } catch (error) {
    // Only the shared memory can fail in this way, which the disk has the last word on.
    if (isError(error) && 'errcode' in error && error.errcode === SHARED_MEMORY_FAILED) return false;
    throw error;
  }
}

/** Has the file for this connection alone. */
export function holdFile(db: DatabaseSync): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  inTransaction(db, () => undefined);
}

/** Lets other connections read the file, but no other store use it. Returns false where the file system cannot. */
export function shareFile(db: DatabaseSync): boolean {
  const mode = db.prepare('PRAGMA locking_mode = NORMAL').get()?.locking_mode;
  inTransaction(db, () => undefined);
  return mode === 'normal';
}

/** What SQLite finds wrong with the file; nothing if it is sound. `integrity_check` also compares tables and indexes. */
export function findDamage(db: DatabaseSync, check: 'quick_check' | 'integrity_check'): string[] {
  const texts = db
    .prepare(`PRAGMA ${check}`)
    .all()
    .flatMap(Object.values<unknown>)
    .map(String);
  return texts.length === 1 && texts[0] === 'ok' ? [] : texts;
}

function limitSize(db: DatabaseSync, bytes: number): void {
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size);
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytes / pageSize))}`);
}

/**
 * Makes what is missing, for the eyes of this user only; the log gets the rights of the file. The file is never opened
 * here if it exists: closing it again would take away the locks that another store of this process has on it.
 */
function prepareFile({ file, ownFolder = false }: DatabaseOptions, warn: (text: string) => void): void {
  mkdirSync(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
  // SQLite would throw away the log of a file that it takes for new.
  if (sizeOf(file) === 0 && sizeOf(`${file}-wal`) > 0) {
    throw storageError('corrupt', file, 'it is empty or missing, but its log is not');
  }
  if (existsSync(file)) checkWritable(file);
  else closeSync(openSync(file, 'wx', PRIVATE_FILE));
  takeFromOthers([...(ownFolder ? [dirname(file)] : []), file, `${file}-wal`, `${file}-shm`], warn);
}

/** What can be read by others is still of use. */
function takeFromOthers(paths: readonly string[], warn: (text: string) => void): void {
  try {
    for (const path of paths) makePrivate(path);
  } catch (error) {
    warn(`others may read the storage, as its rights cannot be changed: ${errorText(error)}`);
  }
}

/** SQLite would open it all the same, and then fail to lock it with an error that says little. */
function checkWritable(file: string): void {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw storageError('readonly', file, errorText(cause), cause);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
