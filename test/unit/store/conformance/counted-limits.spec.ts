import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { Store } from '../../../../src/store/store';
import { describeStores, openFileStore, temporaryFolder, withCode } from '../support/stores';

const LIMITS = {
  bucketsPerUser: 3,
  propertiesPerOwner: 3,
  documentsPerCollection: 3,
  retainedPerUser: 3,
} as const;

/** Things whose number is bounded for each user. */
interface Counted {
  readonly create: (store: Store, user: string, name: string) => Promise<unknown>;
  readonly remove: (store: Store, user: string, name: string) => Promise<boolean>;
  /** Removes all of a user, where that is one operation. */
  readonly clear?: (store: Store, user: string) => Promise<unknown>;
  /** Creates a thing by an operation that fails after it. */
  readonly createInVain?: (store: Store, user: string, name: string) => Promise<unknown>;
}

const COUNTED: Readonly<Record<string, Counted>> = {
  buckets: {
    create: ({ buckets }, user, bucket) => buckets.write({ user, bucket }, [{ value: { n: 1 } }], {}),
    remove: ({ buckets }, user, bucket) => buckets.remove({ user, bucket }),
    createInVain: ({ buckets }, user, bucket) =>
      buckets.write({ user, bucket }, [{ value: { n: 1 } }], { enabled: false }),
  },
  properties: {
    create: ({ properties }, user, name) => properties.set({ user, device: 'd' }, name, 1),
    remove: ({ properties }, user, name) => properties.remove({ user, device: 'd' }, name),
    clear: ({ properties }, user) => properties.clear({ user, device: 'd' }),
  },
  documents: {
    create: ({ documents }, user, id) => documents.put({ collection: 'c', user, id }, {}),
    remove: ({ documents }, user, id) => documents.remove({ collection: 'c', user, id }),
    clear: ({ documents }, user) => documents.clear({ collection: 'c', user }),
  },
  'retained messages': {
    create: ({ retained }, user, topic) => retained.set(user, topic, 1),
    remove: ({ retained }, user, topic) => retained.remove(user, topic),
    clear: ({ retained }, user) => retained.clear(user),
  },
};

for (const [what, counted] of Object.entries(COUNTED)) {
  /** Checks that a user may create so many more, by creating them. */
  const fill = async (store: Store, user: string, room: number): Promise<void> => {
    for (let n = 0; n < room; n++) await counted.create(store, user, `${user}${n}`);
    const refused = counted.create(store, user, 'more');
    await assert.rejects(refused, withCode('IOTMP_ERR_QUOTA'));
  };

  describeStores(`the limit of ${what}`, (open) => {
    it('is exact for each user while they come and go, and after refusals', async () => {
      const store = await open({ limits: LIMITS });
      await fill(store, 'ann', 3);
      await fill(store, 'bob', 3);
      await counted.create(store, 'ann', 'ann0');
      assert.equal(await counted.remove(store, 'ann', 'ann1'), true);
      assert.equal(await counted.remove(store, 'ann', 'ann1'), false);
      await assert.rejects(counted.create(store, 'bob', 'more'), withCode('IOTMP_ERR_QUOTA'));
      await counted.create(store, 'ann', 'ann1');
      await fill(store, 'ann', 0);
      for (const name of ['ann0', 'ann1', 'ann2']) await counted.remove(store, 'ann', name);
      await fill(store, 'ann', 3);
    });

    it('is exact after many at once', async () => {
      const store = await open({ limits: LIMITS });
      const names = Array.from({ length: 50 }, (_, n) => `n${n}`);
      const outcomes = await Promise.allSettled(names.map((name) => counted.create(store, 'ann', name)));
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
      await counted.remove(store, 'ann', 'n0');
      await fill(store, 'ann', 1);
    });

    const { clear, createInVain } = counted;
    if (clear !== undefined) {
      it('is exact after all were removed at once', async () => {
        const store = await open({ limits: LIMITS });
        await fill(store, 'ann', 3);
        await fill(store, 'bob', 3);
        await clear(store, 'ann');
        await fill(store, 'ann', 3);
        await fill(store, 'bob', 0);
      });
    }

    if (createInVain !== undefined) {
      it('does not count what was undone', async () => {
        const store = await open({ limits: LIMITS });
        await counted.create(store, 'ann', 'first');
        await assert.rejects(createInVain(store, 'ann', 'vain'), withCode('IOTMP_ERR_NOT_ALLOWED'));
        await fill(store, 'ann', 2);
      });
    }
  });

  describe(`the limit of ${what} in a file`, () => {
    it('counts those of before a restart', async () => {
      const file = join(temporaryFolder(), 'store.db');
      const first = await openFileStore({ file, limits: LIMITS });
      await fill(first, 'ann', 3);
      await counted.remove(first, 'ann', 'ann0');
      await first.close();
      const second = await openFileStore({ file, limits: LIMITS });
      await fill(second, 'ann', 1);
    });
  });
}

describeStores('the limit of buckets', (open) => {
  it('is exact after a bucket was emptied', async () => {
    const store = await open({ limits: LIMITS });
    for (const bucket of ['a', 'b', 'c']) await store.buckets.define({ user: 'ann', bucket }, {});
    await store.buckets.clear({ user: 'ann', bucket: 'a' });
    const more = store.buckets.define({ user: 'ann', bucket: 'more' }, {});
    await assert.rejects(more, withCode('IOTMP_ERR_QUOTA'));
    await store.buckets.remove({ user: 'ann', bucket: 'a' });
    await store.buckets.define({ user: 'ann', bucket: 'more' }, {});
  });
});
