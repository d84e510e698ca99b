import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { StorageError } from '../../../src/errors';
import { openFileStore, withCode } from './support/stores';

const KEY = { user: 'ann', bucket: 'air' };

describe('a store whose file can grow no more', () => {
  it('refuses what has no room, keeps what it has, and works again when there is room', async () => {
    const events: string[] = [];
    const faults: StorageError[] = [];
    const store = await openFileStore({
      maxFileSize: 1024 * 1024,
      onFault: (fault) => {
        events.push(fault.reason);
        faults.push(fault);
      },
      onRecovered: () => events.push('recovered'),
    });
    const { properties, buckets } = store;
    await buckets.define(KEY, {});
    const text = 'x'.repeat(10_000);
    const written: number[] = [];
    for (let ts = 0; store.fault === undefined; ts++) {
      await buckets.write(KEY, [{ ts, value: { text } }]).then(
        () => written.push(ts),
        (error: unknown) =>
          assert.partialDeepStrictEqual({ ...(error as object) }, { statusCode: 507, reason: 'full' }),
      );
      assert.ok(ts < 200, 'never full');
    }
    assert.ok(written.length > 50);
    assert.equal(store.fault, faults[0]);
    const full = withCode('IOTMP_ERR_STORAGE', 'full');
    await assert.rejects(properties.set({ user: 'ann' }, 'large', 'x'.repeat(60_000)), full);
    const { rows } = await buckets.range(KEY);
    assert.deepEqual(
      rows.map(({ ts }) => ts),
      written,
    );
    assert.deepEqual(events, ['full']);

    await buckets.update(KEY, { retention: { count: 10 } });
    assert.equal(await buckets.prune(KEY), written.length - 10);
    await properties.set({ user: 'ann' }, 'large', 'x'.repeat(60_000));
    assert.equal(store.fault, undefined);
    assert.deepEqual(events, ['full', 'recovered']);
    assert.deepEqual(await store.check(), []);
  });

  it('keeps the small writes of a group of which a large one has no room', async () => {
    const store = await openFileStore({ maxFileSize: 1024 * 1024 });
    const { properties } = store;
    const owner = { user: 'ann' };
    const large = Array.from({ length: 40 }, (_, n) =>
      properties.set(owner, `large${n}`, 'x'.repeat(60_000)),
    );
    const small = Array.from({ length: 40 }, (_, n) => properties.set(owner, `large${n}`, n));
    const outcomes = await Promise.allSettled([...large, ...small]);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert.ok(refused.length > 10 && refused.length < 60, `${refused.length} refused`);
    const kept = await properties.list(owner, { limit: 1000 });
    for (const [n, outcome] of outcomes.slice(40).entries()) {
      const value = kept.find(({ name }) => name === `large${n}`)?.value;
      if (outcome.status === 'fulfilled') assert.equal(value, n);
    }
    assert.deepEqual(await store.check(), []);
  });
});
