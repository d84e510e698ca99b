import { accessSync, constants, existsSync, mkdirSync, openSync, closeSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../../errors';
import { makePrivate, PRIVATE_FILE, PRIVATE_FOLDER } from '../../private-mode';
import { IN_MEMORY, type DatabaseOptions } from './database-options';
import { checkVersion, migrate, MIGRATIONS } from './migrations';
import { storageError, toIotmpError } from './sqlite-fault';

/** Files up to this size are looked through for damage when they are opened: a fraction of a second on a slow disk. */
const MAX_CHECKED_BYTES = 16 * 1024 * 1024;
const CACHE_KIB = 8192;
/** The log is cut to this size once its content is in the file. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;

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
  // A second process would not know what this one remembers of the tables, so the file is held for as long as it is open.
  db.exec(`
    PRAGMA busy_timeout = ${Math.round(busyTimeoutMs)};
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
  `);
  const version = checkVersion(db, file, migrations.length);
  // Only an empty file takes this setting.
  if (version === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = ${MAX_LOG_BYTES};
    PRAGMA cache_size = -${CACHE_KIB};
  `);
  migrate(db, file, warn, migrations);
  if (maxFileSize !== undefined) limitSize(db, maxFileSize);
  const [damage] = sizeOf(file) <= MAX_CHECKED_BYTES ? findDamage(db, 'quick_check') : [];
  if (damage !== undefined) throw storageError('corrupt', file, damage);
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
