import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { Records } from '../../../src/directory/records';
import { openStore } from '../../../src/store/open-store';
import { cleanUp } from '../../support/clean-up';

interface Account extends Record<string, string> {
  readonly role: string;
}

const KEY = { user: 'bert', id: 'bert' };
const FULL = { message: 'disk full' };

/** Records over a store whose writes fail while `full`; `changes` counts what was told. */
async function records(): Promise<{
  accounts: Records<Account>;
  disk: { full: boolean };
  seen: string[];
  kept: () => Promise<unknown>;
}> {
  const store = await openStore({ memory: true });
  cleanUp(() => store.close());
  const disk = { full: false };
  const { documents } = store;
  const check = (): void => {
    if (disk.full) throw new Error(FULL.message);
  };
  const failing = {
    list: documents.list.bind(documents),
    get: documents.get.bind(documents),
    put: async (...args: Parameters<typeof documents.put>) => {
      check();
      return documents.put(...args);
    },
    remove: async (...args: Parameters<typeof documents.remove>) => {
      check();
      return documents.remove(...args);
    },
  } as unknown as typeof documents;
  const seen: string[] = [];
  const schema = z.record(z.string(), z.string()) as unknown as z.ZodType<Account>;
  const accounts = new Records<Account>(Promise.resolve(failing), 'users', schema, {
    onChange: () => seen.push(accounts.get(KEY)?.role ?? 'none'),
  });
  await accounts.put(KEY, { role: 'user' });
  seen.length = 0;
  const kept = async (): Promise<unknown> =>
    (await documents.get({ collection: 'users', user: KEY.user, id: KEY.id }))?.body;
  return { accounts, disk, seen, kept };
}

describe('Changes of an account', () => {
  it('are in force at once, and kept', async () => {
    const { accounts, kept } = await records();
    const put = accounts.put(KEY, { role: 'admin' });
    assert.deepEqual(accounts.get(KEY), { role: 'admin' });
    await put;
    assert.deepEqual(await kept(), { role: 'admin' });
  });

  it('that overlap and cannot be kept leave what was before them', async () => {
    const { accounts, disk, seen, kept } = await records();
    disk.full = true;
    const first = accounts.put(KEY, { role: 'admin' });
    const second = accounts.put(KEY, { role: 'operator' });
    const third = accounts.remove(KEY);
    await Promise.all([first, second, third].map((change) => assert.rejects(change, FULL)));
    assert.deepEqual(accounts.get(KEY), { role: 'user' });
    assert.deepEqual(await kept(), { role: 'user' });
    assert.equal(seen.at(-1), 'user');
  });

  it('fail with the one that they were made on top of, also when the disk has room by then', async () => {
    const { accounts, disk, kept } = await records();
    disk.full = true;
    const first = accounts.put(KEY, { role: 'admin' });
    const second = accounts.put(KEY, { ...accounts.get(KEY)!, mail: 'b@x.org' });
    await assert.rejects(first, FULL);
    disk.full = false;
    await assert.rejects(second, FULL);
    assert.deepEqual([accounts.get(KEY), await kept()], [{ role: 'user' }, { role: 'user' }]);
  });

  it('that come after a refused one begin with what is kept', async () => {
    const { accounts, disk, kept } = await records();
    disk.full = true;
    const first = accounts.put(KEY, { role: 'admin' });
    await assert.rejects(first, FULL);
    disk.full = false;
    await accounts.put(KEY, { ...accounts.get(KEY)!, mail: 'b@x.org' });
    assert.deepEqual(await kept(), { role: 'user', mail: 'b@x.org' });
    assert.deepEqual(accounts.get(KEY), { role: 'user', mail: 'b@x.org' });
  });

  it('that are kept stay when a later one is not', async () => {
    const { accounts, disk, kept } = await records();
    const first = accounts.put(KEY, { role: 'operator' });
    const second = accounts.put(KEY, { role: 'admin' });
    await first;
    disk.full = true;
    await assert.rejects(second, FULL);
    assert.deepEqual([accounts.get(KEY), await kept()], [{ role: 'operator' }, { role: 'operator' }]);
  });

  it('of a new account that cannot be kept leave none', async () => {
    const { accounts, disk } = await records();
    const other = { user: 'carl', id: 'carl' };
    disk.full = true;
    await assert.rejects(accounts.put(other, { role: 'user' }), FULL);
    assert.equal(accounts.has(other), false);
    assert.equal(accounts.count('carl'), 0);
  });
});
