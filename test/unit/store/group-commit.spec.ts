import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { DamagedRecords } from '../../../src/store/damaged-records';
import { IotmpError } from '../../../src/errors';
import { Statements } from '../../../src/store/sqlite/database/statements';
import { openTables } from '../../../src/store/sqlite/tables/tables';
import { GroupCommit } from '../../../src/store/sqlite/thread/group-commit';
import type { JobAnswer, WriteJob } from '../../../src/store/sqlite/thread/messages';
import { storeLimits } from '../../../src/store/store-limits';
import { cleanUp } from '../../support/clean-up';

/** A database whose writes are done by a function of the name of a property. */
function setUp(write: (sql: Statements, name: string) => void) {
  const db = new DatabaseSync(':memory:');
  cleanUp(() => db.close());
  db.exec(`
    CREATE TABLE done (name TEXT UNIQUE);
    CREATE TABLE child (parent TEXT REFERENCES done (name) DEFERRABLE INITIALLY DEFERRED);`);
  const sql = new Statements(db);
  let forgotten = 0;
  const tables = {
    writes: {
      ...openTables(sql, storeLimits('memory'), new DamagedRecords((name) => assert.fail(name))).writes,
      propertyRemove({ name }: { readonly name: string }) {
        write(sql, name);
        return true;
      },
    },
    forget: () => forgotten++,
  };
  const group = new GroupCommit({ db, sql, file: __filename, tables });
  return {
    run: (...names: string[]): string[] =>
      group.run(names.map((name, index) => removal(index + 1, name))).map(outcome),
    done: () =>
      db
        .prepare('SELECT name FROM done ORDER BY name')
        .all()
        .map(({ name }) => name),
    forgotten: () => forgotten,
  };
}

function removal(id: number, name: string): WriteJob {
  return { id, kind: 'write', name: 'propertyRemove', args: { user: 'u', owner: 'd', name } };
}

function outcome(answer: JobAnswer): string {
  if (!('failure' in answer)) return `${answer.id} done`;
  return `${answer.id} ${answer.failure.reason ?? answer.failure.code}`;
}

const insert = (sql: Statements, name: string): void => {
  sql.run('INSERT INTO done VALUES (?)', name);
};

describe('writes that are done together', () => {
  it('are answered each', () => {
    const group = setUp(insert);
    assert.deepEqual(group.run('a', 'b', 'c'), ['1 done', '2 done', '3 done']);
    assert.deepEqual(group.done(), ['a', 'b', 'c']);
    assert.equal(group.forgotten(), 0);
  });

  it('fail alone, and are undone wholly', () => {
    const group = setUp((sql, name) => {
      insert(sql, `${name}1`);
      if (name === 'b') throw new IotmpError('IOTMP_ERR_QUOTA', 'too many');
      if (name === 'c') insert(sql, 'a1');
      insert(sql, `${name}2`);
    });
    assert.deepEqual(group.run('a', 'b', 'c', 'd'), ['1 done', '2 IOTMP_ERR_QUOTA', '3 failed', '4 done']);
    assert.deepEqual(group.done(), ['a1', 'a2', 'd1', 'd2']);
    assert.equal(group.forgotten(), 2);
  });

  it('cost nothing of what is remembered if they are refused before they change anything', () => {
    const group = setUp((sql, name) => {
      if (name !== 'late') sql.number('SELECT count(*) FROM done');
      else insert(sql, name);
      throw new IotmpError('IOTMP_ERR_QUOTA', 'too many');
    });
    assert.deepEqual(group.run('a', 'b'), ['1 IOTMP_ERR_QUOTA', '2 IOTMP_ERR_QUOTA']);
    assert.equal(group.forgotten(), 0);
    assert.deepEqual(group.run('a', 'late', 'b'), [
      '1 IOTMP_ERR_QUOTA',
      '2 IOTMP_ERR_QUOTA',
      '3 IOTMP_ERR_QUOTA',
    ]);
    assert.deepEqual([group.forgotten(), group.done()], [1, []]);
  });

  it('all fail if they cannot be committed, and the next group is not harmed', () => {
    const group = setUp((sql, name) => {
      if (name === 'orphan') sql.run("INSERT INTO child VALUES ('nobody')");
      else if (name === 'bad') throw new IotmpError('IOTMP_ERR_CONFIG', 'bad');
      else insert(sql, name);
    });
    assert.deepEqual(group.run('a', 'orphan', 'bad', 'b'), [
      '1 failed',
      '2 failed',
      '3 IOTMP_ERR_CONFIG',
      '4 failed',
    ]);
    assert.deepEqual(group.done(), []);
    assert.deepEqual(group.run('a', 'b'), ['1 done', '2 done']);
    assert.deepEqual(group.done(), ['a', 'b']);
  });

  it('are done without the one that takes the transaction with it', () => {
    const group = setUp((sql, name) => {
      insert(sql, name);
      if (name !== 'lost') return;
      sql.run('ROLLBACK');
      throw new Error('disk full, say');
    });
    assert.deepEqual(group.run('a', 'lost', 'b', 'lost', 'lost'), [
      '1 done',
      '2 failed',
      '3 done',
      '4 failed',
      '5 failed',
    ]);
    assert.deepEqual(group.done(), ['a', 'b']);
    assert.deepEqual(group.run('c'), ['1 done']);
  });
});
