import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores, withCode } from '../support/stores';

const value = { text: 'x'.repeat(940) };
const row = { device: 'pump', value };

describeStores('bytes of rows', (open) => {
  it('are bounded for each user: past it 507, and nothing is written', async () => {
    const { buckets } = await open({ limits: { rowBytesPerUser: 10_000 } });
    const [one, two] = [
      { user: 'ann', bucket: 'one' },
      { user: 'ann', bucket: 'two' },
    ];
    for (let n = 0; n < 5; n++) await buckets.write(one, [row], {});
    for (let n = 0; n < 4; n++) await buckets.write(two, [row], {});
    const refused = buckets.write(two, [row, row]);
    await assert.rejects(refused, { code: 'IOTMP_ERR_QUOTA', statusCode: 507 });
    assert.equal(await buckets.count(two), 4);
    await buckets.write({ user: 'bob', bucket: 'one' }, [row], {});
    await buckets.clear(one);
    for (let n = 0; n < 5; n++) await buckets.write(two, [row]);
    await assert.rejects(buckets.write(one, [row, row]), withCode('IOTMP_ERR_QUOTA'));
    assert.equal(await buckets.remove(two), true);
    await buckets.write(one, [row, row]);
  });

  it('are bounded for all users', async () => {
    const { buckets } = await open({ limits: { rowBytes: 3100 } });
    for (const user of ['ann', 'bob', 'cat']) await buckets.write({ user, bucket: 'one' }, [row], {});
    await assert.rejects(
      buckets.write({ user: 'dan', bucket: 'one' }, [row], {}),
      withCode('IOTMP_ERR_QUOTA'),
    );
  });

  it('are given back by rows that the retention removes', async () => {
    const { buckets } = await open({ limits: { rowBytesPerUser: 10_000, rowsPerBucket: 5 } });
    const key = { user: 'ann', bucket: 'one' };
    for (let n = 0; n < 50; n++) await buckets.write(key, [row], {});
    assert.equal(await buckets.count(key), 5);
  });
});
