import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { DamagedRecordError } from '../../../src/store/damaged-records';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

const ANN = { user: 'ann', device: 'd' };
const AIR = { user: 'ann', bucket: 'air' };
const BAD = { user: 'ann', bucket: 'bad' };
const damaged = { name: 'DamagedRecordError', ...withCode('IOTMP_ERR_STORAGE') };

/** A store in which one record of each table cannot be read, named `bad` where records have names. */
async function damagedStore(): Promise<{ store: Store; lines: string[]; file: string }> {
  const file = join(temporaryFolder(), 'store.db');
  const before = await openStore({ file });
  for (const id of ['bad', 'good']) {
    await before.properties.set(ANN, id, { n: 1 });
    await before.documents.put({ collection: 'thing', user: 'ann', id }, { n: 1 });
    await before.retained.set('ann', `topic/${id}`, { n: 1 });
  }
  await before.buckets.define(BAD, {});
  await before.buckets.define(AIR, {});
  await before.buckets.write(
    AIR,
    [1, 2, 3].map((ts) => ({ ts, device: 'd', value: { n: ts, tag: `t${ts}` } })),
  );
  await before.close();
  damage(
    file,
    `UPDATE property SET value = x'ff' WHERE name = 'bad';
     UPDATE document SET body = x'ff' WHERE id = 'bad';
     UPDATE retained SET payload = x'ff' WHERE topic = 'topic/bad';
     UPDATE bucket SET settings = x'05' WHERE name = 'bad';
     UPDATE point SET value = x'ff' WHERE ts = 2`,
  );
  const lines: string[] = [];
  const store = await openFileStore({ file, onWarning: (text) => lines.push(text) });
  return { store, lines, file };
}

function damage(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

describe('a record that cannot be read', () => {
  it('is left out of every list, and named once', async () => {
    const { store, lines } = await damagedStore();
    const { buckets, documents, properties, retained } = store;
    for (let round = 0; round < 2; round++) {
      const names = (await properties.list(ANN)).map(({ name }) => name);
      assert.deepEqual(names, ['good']);
      assert.deepEqual(
        (await documents.list({ collection: 'thing' })).map(({ id }) => id),
        ['good'],
      );
      assert.deepEqual(
        (await retained.list('ann')).messages.map(({ topic }) => topic),
        ['topic/good'],
      );
      assert.deepEqual(
        (await buckets.list('ann')).map(({ bucket }) => bucket),
        ['air'],
      );
      assert.deepEqual(
        (await buckets.range(AIR)).rows.map(({ ts }) => ts),
        [1, 3],
      );
      assert.deepEqual(
        (await buckets.range(AIR, { fields: ['n'] })).rows.map(({ ts }) => ts),
        [1, 3],
      );
      assert.deepEqual(await buckets.tagValues(AIR, 'tag'), ['t1', 't3']);
      const { rows } = await buckets.aggregate(AIR, { function: 'sum', span: '1d' });
      assert.equal(rows.length, 1);
    }
    assert.deepEqual(lines.map((line) => line.split(' cannot be read')[0]).sort(), [
      'the bucket ann/bad',
      'the document thing ann/bad',
      'the property bad of ann/d',
      'the retained message topic/bad of ann',
      'the row 2 of d in the bucket ann/air',
    ]);
    assert.equal(store.damagedRecords, 5);
    assert.equal(store.fault, undefined);
  });

  it('fails what asks for it alone, and nothing else', async () => {
    const { store, file } = await damagedStore();
    const { buckets, documents, properties, retained } = store;
    const key = { collection: 'thing', user: 'ann', id: 'bad' };
    await assert.rejects(properties.get(ANN, 'bad'), damaged);
    await assert.rejects(documents.get(key), damaged);
    await assert.rejects(retained.get('ann', 'topic/bad'), damaged);
    await assert.rejects(buckets.get(BAD), damaged);
    const unreadable = withCode('IOTMP_ERR_STORAGE');
    const results = await Promise.allSettled([
      properties.merge(ANN, 'bad', { a: 1 }),
      documents.merge(key, { a: 1 }),
      buckets.write(BAD, [{ ts: 1, value: {} }]),
      buckets.update(BAD, { a: 1 }),
      properties.set(ANN, 'good', 2),
      documents.merge({ ...key, id: 'good' }, { a: 1 }),
      buckets.write(AIR, [{ ts: 4, device: 'd', value: { n: 4 } }]),
    ]);
    const reasons = results.map((result) =>
      result.status === 'rejected' ? (result.reason as Error) : undefined,
    );
    for (const reason of reasons.slice(0, 4))
      assert.equal(reason && 'code' in reason && reason.code, unreadable.code);
    assert.deepEqual(reasons.slice(4), [undefined, undefined, undefined]);
    assert.equal(store.fault, undefined);
    await store.close();
    const db = new DatabaseSync(file);
    const kept = db.prepare("SELECT hex(value) AS value FROM property WHERE name = 'bad'").get();
    assert.equal(kept?.value, 'FF', 'it is kept as it was');
    db.close();
  });

  it('is found by a scan, and goes when it is removed', async () => {
    const { store } = await damagedStore();
    const { documents } = store;
    const found = async (): Promise<unknown[]> => {
      const all: unknown[] = [];
      for await (const { id, body } of documents.scan('thing')) all.push([id, body]);
      return all;
    };
    assert.deepEqual(await found(), [
      ['bad', undefined],
      ['good', { n: 1 }],
    ]);
    assert.equal(await documents.remove({ collection: 'thing', user: 'ann', id: 'bad' }), true);
    assert.deepEqual(await found(), [['good', { n: 1 }]]);
  });

  it('is told in few lines where there are many', async () => {
    const file = join(temporaryFolder(), 'store.db');
    const before = await openStore({ file });
    for (let n = 0; n < 100; n++) await before.properties.set(ANN, `p${n}`, n);
    await before.close();
    damage(file, "UPDATE property SET value = x'ff'");
    const lines: string[] = [];
    const store = await openFileStore({ file, onWarning: (text) => lines.push(text) });
    assert.deepEqual(await store.properties.list(ANN), []);
    assert.equal(lines.length, 21);
    assert.equal(lines.at(-1), 'more records cannot be read');
    assert.equal(store.damagedRecords, 100);
    assert.ok(
      await store.properties.get(ANN, 'p7').then(
        () => false,
        (error: unknown) => error instanceof DamagedRecordError,
      ),
    );
  });
});
