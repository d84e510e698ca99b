import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import { openDatabase } from '../../../src/store/sqlite/database/open-database';
import { PointTable } from '../../../src/store/sqlite/tables/point-table';
import { Statements } from '../../../src/store/sqlite/database/statements';
import { Sweeper } from '../../../src/store/sqlite/tables/sweeper';
import { temporaryFolder } from './support/stores';

const KEY = { user: 'ann', bucket: 'big' };
const OTHER = { user: 'ann', bucket: 'small' };

/** A file with a bucket that was removed, whose rows may all be there still. */
async function fileWithTrash(): Promise<string> {
  const file = join(temporaryFolder(), 'store.db');
  const store = await openStore({ file });
  const { buckets } = store;
  for (const key of [KEY, OTHER]) await buckets.define(key, {});
  const text = 'x'.repeat(1000);
  for (let part = 0; part < 4; part++) {
    const rows = Array.from({ length: 2500 }, (_, index) => ({
      ts: part * 2500 + index,
      device: 'd',
      value: { text },
    }));
    await buckets.write(KEY, rows);
  }
  await buckets.write(OTHER, [{ ts: 1, device: 'd', value: {} }]);
  const removed = buckets.remove(KEY);
  const closed = store.close();
  await Promise.all([removed, closed]);
  return file;
}

function count(db: DatabaseSync, table: string): unknown {
  return db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
}

/** Nothing is to be told. */
function unexpected(text: string): void {
  assert.equal(text, '');
}

describe('rows of a bucket that is gone', () => {
  it('are removed step by step, also after the file was opened again, and their space is given back', async () => {
    const file = await fileWithTrash();
    const size = statSync(file).size;
    const db = openDatabase({ file, busyTimeoutMs: 0, maxFileSize: undefined }, unexpected);
    const sql = new Statements(db);
    const sweeper = new Sweeper({ db, sql, points: new PointTable(sql) });
    assert.equal(count(db, 'trash'), 1);
    let steps = 0;
    for (; sweeper.hasWork; steps++) sweeper.step();
    assert.ok(steps > 5, `only ${steps} steps`);
    assert.deepEqual([count(db, 'trash'), count(db, 'point'), count(db, 'series')], [0, 1, 1]);
    assert.ok(statSync(file).size < size / 2, `${statSync(file).size} of ${size} bytes`);
    assert.equal(statSync(`${file}-wal`).size, 0);
    db.close();
  });

  it('are removed by an open store when it has nothing else to do', async () => {
    const file = await fileWithTrash();
    const store = await openStore({ file });
    // Each question lets the sweeper have a turn: it needs no more than some dozens.
    for (let turn = 0; turn < 500; turn++) await store.buckets.count(OTHER);
    await store.close();
    const db = new DatabaseSync(file);
    assert.deepEqual([count(db, 'trash'), count(db, 'point')], [0, 1]);
    db.close();
  });
});
