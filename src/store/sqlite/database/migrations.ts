import type { DatabaseSync } from 'node:sqlite';
import { IN_MEMORY } from './database-options';
import { keepCopy } from './kept-copy';
import { storageError } from './sqlite-fault';
import { inTransaction } from './transaction';

/** Marks the file as ours: "IoTM". */
export const APPLICATION_ID = 0x496f544d;

/**
 * What makes a file of each version into one of the next: the first makes an empty file into version 1. One that has been
 * released is never changed; a change of the tables is one more.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE property (
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    search TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    attributes BLOB NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (user, device, name)
  ) STRICT;

  CREATE TABLE document (
    collection TEXT NOT NULL,
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    search TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (collection, user, id)
  ) STRICT;

  CREATE TABLE retained (
    user TEXT NOT NULL,
    topic TEXT NOT NULL,
    ts INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (user, topic)
  ) STRICT;

  CREATE TABLE bucket (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    search TEXT NOT NULL,
    rows INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    settings BLOB NOT NULL,
    UNIQUE (user, name)
  ) STRICT;

  -- The devices that have written to a bucket; the empty text stands for none.
  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL,
    device TEXT NOT NULL,
    UNIQUE (bucket, device)
  ) STRICT;

  CREATE TABLE point (
    bucket INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    series INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (bucket, ts, series)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX point_by_series ON point (series, ts);

  -- Buckets that are gone, but whose points are still to be removed.
  CREATE TABLE trash (
    bucket INTEGER PRIMARY KEY
  ) STRICT;
  `,
  // Size of the values of all rows, in bytes, about.
  'ALTER TABLE bucket ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0',
];

/**
 * Brings a file to the newest version, one version after the other, each in a transaction of its own. Where nothing is to
 * be done, it still makes sure that the file can be written.
 *
 * A copy of an older file is kept beside it first, as `<file>.v<version>`; where that fails, nothing is changed.
 *
 * @param warn gets what a person should know
 * @throws StorageError `newer` or `foreign` for a file that is not to be touched.
 */
export function migrate(
  db: DatabaseSync,
  file: string,
  warn: (text: string) => void,
  migrations: readonly string[] = MIGRATIONS,
): void {
  const version = checkVersion(db, file, migrations.length);
  if (version > 0 && version < migrations.length && file !== IN_MEMORY) {
    const copy = `${file}.v${version}`;
    keepCopy(db, file, copy);
    warn(
      `the file is brought from version ${version} to ${migrations.length}: ${copy} is a copy of it as it was`,
    );
  }
  if (version === migrations.length) inTransaction(db, () => undefined);
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    inTransaction(db, () => {
      db.exec(migration);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** The version of a file, 0 for an empty one; it is only read. */
export function checkVersion(db: DatabaseSync, file: string, newest = MIGRATIONS.length): number {
  const version = readPragma(db, 'user_version');
  const isEmpty = readNumber(db, 'SELECT count(*) AS number FROM sqlite_schema') === 0;
  if (readPragma(db, 'application_id') !== APPLICATION_ID && !(isEmpty && version === 0)) {
    throw storageError('foreign', file);
  }
  if (version > newest) throw storageError('newer', file, `version ${version}, known is ${newest}`);
  return version;
}

function readPragma(db: DatabaseSync, name: string): number {
  return readNumber(db, `SELECT ${name} AS number FROM pragma_${name}`);
}

function readNumber(db: DatabaseSync, sql: string): number {
  return Number(db.prepare(sql).get()?.number ?? 0);
}
