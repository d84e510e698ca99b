import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores, withCode } from '../support/stores';

const KEY = { collection: 'token', user: 'ann', id: 't1' };

describeStores('documents', (open) => {
  it('keeps a document', async () => {
    let now = 1;
    const { documents } = await open({ now: () => now });
    assert.equal(await documents.get(KEY), undefined);
    assert.equal(await documents.put(KEY, { name: 'One', secret: Buffer.from([0, 255]) }), 'created');
    now = 2;
    assert.equal(await documents.put(KEY, { name: 'Two' }), 'updated');
    assert.deepEqual(await documents.get(KEY), { ...KEY, body: { name: 'Two' }, created: 1, modified: 2 });
    assert.equal(await documents.remove(KEY), true);
    assert.equal(await documents.remove(KEY), false);
    assert.equal(await documents.get(KEY), undefined);
  });

  it('makes only what is absent, or replaces only what is present, if asked to', async () => {
    const { documents } = await open();
    await assert.rejects(documents.put(KEY, {}, 'present'), withCode('IOTMP_ERR_NOT_FOUND'));
    assert.equal(await documents.put(KEY, { a: 1 }, 'absent'), 'created');
    await assert.rejects(documents.put(KEY, { a: 2 }, 'absent'), withCode('IOTMP_ERR_CONFLICT'));
    assert.deepEqual((await documents.get(KEY))?.body, { a: 1 });
    assert.equal(await documents.put(KEY, { a: 3 }, 'present'), 'updated');
  });

  it('lets one of many makers win', async () => {
    const { documents } = await open();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => documents.put(KEY, { index }, 'absent')),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.deepEqual((await documents.get(KEY))?.body, { index: 0 });
  });

  it('merges many changes of one document without losing any', async () => {
    const { documents } = await open();
    await documents.put(KEY, { name: 'One', gone: 1 });
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => documents.merge(KEY, { [`k${index}`]: index, gone: null })),
    );
    const { body } = (await documents.get(KEY))!;
    assert.equal(Object.keys(body).length, 21);
    assert.deepEqual((await documents.merge(KEY, { name: 'Two' })).body, { ...body, name: 'Two' });
    await assert.rejects(documents.merge({ ...KEY, id: 'other' }, {}), withCode('IOTMP_ERR_NOT_FOUND'));
  });

  it('lists a collection of one user or of all, in pages, by id or name', async () => {
    const { documents } = await open();
    for (const user of ['bob', 'ann']) {
      for (const id of ['b', 'a', 'c']) await documents.put({ ...KEY, user, id }, { name: `${user} ${id}` });
    }
    await documents.put({ collection: 'endpoint', user: 'ann', id: 'e' }, {});
    const ids = async (...args: Parameters<typeof documents.list>): Promise<string[]> =>
      (await documents.list(...args)).map(({ user, id }) => `${user}/${id}`);
    assert.deepEqual(await ids({ collection: 'token', user: 'ann' }), ['ann/a', 'ann/b', 'ann/c']);
    assert.deepEqual(await ids({ collection: 'token' }, { offset: 2, limit: 2 }), ['ann/c', 'bob/a']);
    assert.deepEqual(await ids({ collection: 'token' }, { name: 'NN C' }), ['ann/c']);
    await documents.merge({ ...KEY, user: 'ann', id: 'c' }, { name: 'Renamed' });
    assert.deepEqual(await ids({ collection: 'token' }, { name: 'ann' }), ['ann/a', 'ann/b']);
    assert.deepEqual(await ids({ collection: 'token' }, { name: 'rename' }), ['ann/c']);
    assert.deepEqual(await ids({ collection: 'nothing' }), []);
    assert.equal(await documents.clear({ collection: 'token', user: 'ann' }), 3);
    assert.deepEqual(await ids({ collection: 'token' }), ['bob/a', 'bob/b', 'bob/c']);
    assert.deepEqual(await ids({ collection: 'endpoint' }), ['ann/e']);
  });

  it('keeps the limits of size and number', async () => {
    const { documents } = await open({ limits: { documentsPerCollection: 2, valueSize: 50 } });
    await documents.put({ ...KEY, id: 'a' }, {});
    await documents.put({ ...KEY, id: 'b' }, {});
    await assert.rejects(documents.put({ ...KEY, id: 'c' }, {}), withCode('IOTMP_ERR_QUOTA'));
    await documents.put({ ...KEY, user: 'bob' }, {});
    await assert.rejects(
      documents.put({ ...KEY, id: 'a' }, { a: 'x'.repeat(50) }),
      withCode('IOTMP_ERR_TOO_LARGE'),
    );
  });

  it('takes maps only', async () => {
    const { documents } = await open();
    for (const body of [[], 'text', null, new Date(0), new Set(), Buffer.alloc(1)]) {
      await assert.rejects(documents.put(KEY, body as never), withCode('IOTMP_ERR_CONFIG'));
    }
    assert.equal(await documents.put(KEY, new Map([['a', 1]]) as never), 'created');
    assert.deepEqual((await documents.get(KEY))?.body, { a: 1 });
  });
});
