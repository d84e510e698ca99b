import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { APPLICATION_ID, migrate, MIGRATIONS } from '../../../src/store/sqlite/database/migrations';
import { openDatabase } from '../../../src/store/sqlite/database/open-database';
import { smallDisk } from '../../support/small-disk';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder, withCode } from './support/stores';

/** What later versions may bring. */
const LATER = [
  ...MIGRATIONS,
  'ALTER TABLE property ADD COLUMN unit TEXT',
  'CREATE TABLE extra (a TEXT) STRICT',
  "UPDATE property SET unit = 'none'",
];

function openVersion(file: string, migrations: readonly string[], warn = unexpected): DatabaseSync {
  const db = openDatabase({ file, busyTimeoutMs: 0, maxFileSize: undefined }, warn, migrations);
  cleanUp(() => {
    if (db.isOpen) db.close();
  });
  return db;
}

function versionOf(db: DatabaseSync): unknown {
  return db.prepare('PRAGMA user_version').get()?.user_version;
}

function schemaOf(db: DatabaseSync): unknown[] {
  return db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
}

function addProperty(db: DatabaseSync): void {
  db.exec(`INSERT INTO property (user, device, name, search, created, modified, attributes, value)
           VALUES ('u', 'd', 'p', 'p', 1, 1, x'c0', x'05')`);
}

/** Nothing is to be told. */
function unexpected(text: string): void {
  assert.equal(text, '');
}

describe('versions of a file', () => {
  it('are brought to the newest one from each older one, with what is in them', () => {
    const newest = openVersion(join(temporaryFolder(), 'new.db'), LATER);
    for (let version = 1; version < LATER.length; version++) {
      const file = join(temporaryFolder(), 'store.db');
      const older = openVersion(file, LATER.slice(0, version));
      assert.equal(versionOf(older), version);
      addProperty(older);
      older.close();
      const told: string[] = [];
      const db = openVersion(file, LATER, (text) => told.push(text));
      assert.match(
        told.join('\n'),
        new RegExp(`from version ${version} to ${LATER.length}: .*store.db.v${version} is`),
      );
      assert.equal(versionOf(db), LATER.length);
      assert.deepEqual(schemaOf(db), schemaOf(newest));
      assert.deepEqual(
        { ...db.prepare('SELECT name, unit FROM property').get() },
        { name: 'p', unit: 'none' },
      );
    }
  });

  it('are marked as ours, and may shrink', () => {
    const db = openVersion(join(temporaryFolder(), 'store.db'), MIGRATIONS);
    assert.equal(db.prepare('PRAGMA application_id').get()?.application_id, APPLICATION_ID);
    assert.equal(versionOf(db), MIGRATIONS.length);
    assert.equal(db.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum, 2);
    assert.equal(db.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
    assert.equal(db.prepare('PRAGMA synchronous').get()?.synchronous, 2);
  });

  it('stay as they are where a step fails, and go on from there', () => {
    const file = join(temporaryFolder(), 'store.db');
    const failing = [...LATER.slice(0, 2), 'CREATE TABLE half (a); CREATE TABLE property (a)'];
    const older = openVersion(file, MIGRATIONS);
    addProperty(older);
    older.close();
    assert.throws(() => openVersion(file, failing), withCode('IOTMP_ERR_STORAGE', 'failed'));
    const db = openVersion(file, LATER.slice(0, 2));
    assert.equal(versionOf(db), 2);
    assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()?.n, 0);
  });

  it('are kept as a copy for this user only before they are changed, also in place of an older copy', () => {
    const file = join(temporaryFolder(), 'store.db');
    const older = openVersion(file, MIGRATIONS);
    addProperty(older);
    older.close();
    chmodSync(file, 0o600);
    writeFileSync(`${file}.v${MIGRATIONS.length}`, 'an older copy', { mode: 0o666 });
    openVersion(file, LATER, () => undefined).close();
    const copy = `${file}.v${MIGRATIONS.length}`;
    if (process.platform !== 'win32') assert.equal(statSync(copy).mode & 0o777, 0o600);
    const kept = openVersion(copy, MIGRATIONS);
    assert.equal(versionOf(kept), MIGRATIONS.length);
    assert.equal(kept.prepare('SELECT name FROM property').get()?.name, 'p');
    assert.deepEqual(
      readdirSync(dirname(file)).filter((name) => name.includes('part')),
      [],
    );
  });

  it('stay as they are where no copy can be kept', () => {
    const file = join(temporaryFolder(), 'store.db');
    const older = openVersion(file, MIGRATIONS);
    addProperty(older);
    older.close();
    const copy = `${file}.v${MIGRATIONS.length}`;
    mkdirSync(join(copy, 'in the way'), { recursive: true });
    assert.throws(() => openVersion(file, LATER), /a copy has to be kept, and cannot be/);
    assert.equal(versionOf(openVersion(file, MIGRATIONS)), MIGRATIONS.length);
  });

  it('stay as they are where the disk has no room for a copy', function () {
    const disk = smallDisk(5);
    if (disk === undefined) return this.skip();
    const file = join(disk.folder, 'store.db');
    const older = openVersion(file, MIGRATIONS);
    addProperty(older);
    older.exec('UPDATE property SET value = randomblob(2000000)');
    older.close();
    writeFileSync(join(disk.folder, 'filler'), Buffer.alloc(2 * 1024 * 1024));
    assert.throws(() => openVersion(file, LATER), {
      ...withCode('IOTMP_ERR_STORAGE', 'full'),
      statusCode: 507,
    });
    assert.deepEqual(readdirSync(disk.folder).sort(), ['filler', 'store.db']);
    assert.equal(versionOf(openVersion(file, MIGRATIONS)), MIGRATIONS.length);
  });

  it('that are newer are refused untouched', () => {
    const file = join(temporaryFolder(), 'store.db');
    openVersion(file, LATER).close();
    const bytes = readFileSync(file);
    assert.throws(() => openVersion(file, MIGRATIONS), withCode('IOTMP_ERR_STORAGE', 'newer'));
    assert.deepEqual(readFileSync(file), bytes);
  });

  it('are not made of a database that is not ours', () => {
    const db = new DatabaseSync(':memory:');
    db.exec('PRAGMA user_version = 1');
    assert.throws(() => migrate(db, 'x', unexpected), withCode('IOTMP_ERR_STORAGE', 'foreign'));
    db.close();
  });
});
