import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { openStore } from '../../../../src/store/open-store';
import type { StoreOptions } from '../../../../src/store/store-options';
import { describeStores, withCode } from '../support/stores';

const KEY = { user: 'ann', bucket: 'air' };

describeStores('a store', (open, kind) => {
  it('says where it keeps things, and that all is well', async () => {
    const store = await open();
    assert.equal(store.kind, kind);
    assert.equal(store.fault, undefined);
    assert.deepEqual(await store.check(), []);
  });

  it('ends what waits when it is closed, and takes nothing more', async () => {
    const store = await open();
    await store.buckets.define(KEY, {});
    const rows = Array.from({ length: 5000 }, (_, ts) => ({ ts, value: { n: ts } }));
    const written = store.buckets.write(KEY, rows);
    const read = store.buckets.aggregate(KEY, { span: '1y', function: 'count' });
    const closed = store.close();
    assert.partialDeepStrictEqual(await written, { added: 5000, pruned: 0 });
    assert.deepEqual((await read).rows, [{ ts: 0, value: { n: 5000 } }]);
    await closed;
    await store.close();
    await assert.rejects(store.properties.get({ user: 'u' }, 'p'), withCode('IOTMP_ERR_CLOSED'));
    await assert.rejects(store.buckets.write(KEY, rows), withCode('IOTMP_ERR_CLOSED'));
    await assert.rejects(store.buckets.range(KEY), withCode('IOTMP_ERR_CLOSED'));
    await assert.rejects(store.check(), withCode('IOTMP_ERR_CLOSED'));
  });

  it('refuses more reads at once than its limit', async () => {
    const { buckets } = await open({ limits: { waitingJobs: 3 } });
    await buckets.define(KEY, {});
    await buckets.write(KEY, [{ value: { n: 1 } }]);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => buckets.aggregate(KEY, { span: '1h', function: 'max' })),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    assert.equal(refused.length, 2);
    for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'IOTMP_ERR_BUSY');
    assert.equal((await buckets.range(KEY)).rows.length, 1);
  });
});

describe('options of a store', () => {
  it('have to be usable', async () => {
    const unusable: StoreOptions[] = [
      { memory: true, limits: { valueSize: 0 } },
      { memory: true, limits: { waitingJobs: NaN } },
      { memory: true, limits: { valueSize: 2 ** 30 } },
      { file: '' },
      { file: 'x', busyTimeoutMs: -1 },
      { file: 'x', maxFileSize: 1000 },
    ];
    for (const options of unusable) await assert.rejects(openStore(options), withCode('IOTMP_ERR_CONFIG'));
  });
});
