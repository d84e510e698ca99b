import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { Statements } from '../../../src/store/sqlite/database/statements';
import { RowCounts } from '../../../src/store/sqlite/tables/row-counts';
import { cleanUp } from '../../support/clean-up';

const FROM = 'FROM thing WHERE user = ? AND kind = ?';

function setUp() {
  const db = new DatabaseSync(':memory:');
  cleanUp(() => db.close());
  db.exec("CREATE TABLE thing (user TEXT, kind TEXT); INSERT INTO thing VALUES ('ann', 'a'), ('ann', 'a')");
  return { db, counts: new RowCounts(new Statements(db)) };
}

describe('numbers of rows', () => {
  it('are counted once for each owner, and then kept up to date', () => {
    const { db, counts } = setUp();
    assert.deepEqual([counts.of(FROM, 'ann', 'a'), counts.of(FROM, 'ann', 'b')], [2, 0]);
    db.exec('DELETE FROM thing');
    assert.equal(counts.of(FROM, 'ann', 'a'), 2, 'not counted again');
    counts.change(1, FROM, 'ann', 'a');
    counts.change(-2, FROM, 'ann', 'b');
    assert.deepEqual([counts.of(FROM, 'ann', 'a'), counts.of(FROM, 'ann', 'b')], [3, -2]);
    counts.forget();
    assert.equal(counts.of(FROM, 'ann', 'a'), 0);
  });

  it('take the first count from the table, also after a change', () => {
    const { counts } = setUp();
    counts.change(5, FROM, 'ann', 'a');
    assert.equal(counts.of(FROM, 'ann', 'a'), 2);
  });

  it('do not mix up owners', () => {
    const { counts } = setUp();
    assert.equal(counts.of(FROM, 'ann', 'a'), 2);
    assert.equal(counts.of(FROM, 'ann","a', ''), 0);
    assert.equal(counts.of('FROM thing WHERE user = ? AND kind > ?', 'ann', 'a'), 0);
  });
});
