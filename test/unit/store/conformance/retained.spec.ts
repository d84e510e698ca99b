import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores, withCode } from '../support/stores';

const TOPICS = ['a', 'a!', 'a-b', 'a/b', 'a/b/c', 'a0', 'b', 'a/\u{10ffff}z', '$sys/a', '/a'];

describeStores('retained messages', (open) => {
  it('keeps the last message of a topic', async () => {
    let now = 5;
    const { retained } = await open({ now: () => now });
    assert.equal(await retained.get('ann', 'a/b'), undefined);
    await retained.set('ann', 'a/b', { on: true });
    now = 6;
    await retained.set('ann', 'a/b', Buffer.from('x'));
    assert.deepEqual(await retained.get('ann', 'a/b'), { topic: 'a/b', payload: Buffer.from('x'), ts: 6 });
    assert.equal(await retained.get('bob', 'a/b'), undefined);
    assert.equal(await retained.remove('ann', 'a/b'), true);
    assert.equal(await retained.remove('ann', 'a/b'), false);
  });

  it('finds topics by filters as MQTT has them', async () => {
    const { retained } = await open();
    for (const topic of TOPICS) await retained.set('ann', topic, topic);
    await retained.set('bob', 'a/x', 1);
    const found = async (filter?: string): Promise<string[]> =>
      (await retained.list('ann', filter === undefined ? {} : { filter })).messages.map(({ topic }) => topic);
    assert.deepEqual(await found('a/b'), ['a/b']);
    assert.deepEqual(await found('a/#'), ['a', 'a/b', 'a/b/c', 'a/\u{10ffff}z']);
    assert.deepEqual(await found('a/+'), ['a/b', 'a/\u{10ffff}z']);
    assert.deepEqual(await found('+/b/#'), ['a/b', 'a/b/c']);
    assert.deepEqual(await found('+'), ['a', 'a!', 'a-b', 'a0', 'b']);
    assert.deepEqual(await found('+/+'), ['/a', 'a/b', 'a/\u{10ffff}z']);
    assert.deepEqual(await found('/+'), ['/a']);
    assert.deepEqual(await found('$sys/#'), ['$sys/a']);
    assert.equal((await found('#')).length, TOPICS.length - 1);
    assert.equal((await found()).length, TOPICS.length);
  });

  it('ends a page of large messages early, and loses none', async () => {
    const { retained } = await open();
    const payload = 'x'.repeat(50_000);
    for (let n = 0; n < 10; n++) await retained.set('ann', `large/${n}`, payload);
    const sizes: number[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await retained.list('ann', { filter: 'large/+', ...(cursor !== '' && { cursor }) });
      sizes.push(page.messages.length);
      ({ cursor } = page);
    }
    assert.deepEqual(sizes, [3, 3, 3, 1]);
  });

  it('lists in pages', async () => {
    const { retained } = await open();
    await Promise.all(Array.from({ length: 25 }, (_, index) => retained.set('ann', `t/${index}/x`, index)));
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await retained.list('ann', { filter: 't/+/x', limit: 5, ...(cursor && { cursor }) });
      seen.push(...page.messages.map(({ topic }) => topic));
      cursor = page.cursor;
      pages++;
    } while (cursor !== undefined);
    assert.equal(pages, 5);
    assert.equal(new Set(seen).size, 25);
  });

  it('looks through more topics than one step takes', async () => {
    const { retained } = await open();
    await Promise.all(Array.from({ length: 1200 }, (_, index) => retained.set('ann', `t${index}/x`, index)));
    await retained.set('ann', 'z/y', 1);
    assert.deepEqual((await retained.list('ann', { filter: '+/y' })).messages.length, 1);
    assert.equal(await retained.clear('ann'), 1201);
  });

  it('keeps the limits, and refuses topics and filters that are none', async () => {
    const { retained } = await open({ limits: { retainedPerUser: 2, valueSize: 20 } });
    await retained.set('ann', 'a', 1);
    await retained.set('ann', 'b', 1);
    await assert.rejects(retained.set('ann', 'c', 1), withCode('IOTMP_ERR_QUOTA'));
    await retained.set('ann', 'b', 2);
    await assert.rejects(retained.set('ann', 'b', 'x'.repeat(20)), withCode('IOTMP_ERR_TOO_LARGE'));
    for (const topic of ['', 'a/+', '#', 'x'.repeat(1025)]) {
      await assert.rejects(retained.set('ann', topic, 1), withCode('IOTMP_ERR_CONFIG'));
    }
    for (const filter of ['', 'a#', '#/a', 'a/+b']) {
      await assert.rejects(retained.list('ann', { filter }), withCode('IOTMP_ERR_CONFIG'));
    }
  });
});
