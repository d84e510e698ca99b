import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Buckets } from '../../../src/services/buckets/buckets';
import { Retention } from '../../../src/services/buckets/retention';
import type { BucketKey } from '../../../src/store/bucket-store';
import { describeStores } from '../store/support/stores';
import { FakeClock } from '../support/fake-clock';
import { scene } from './store-support';

const HOUR_MS = 3_600_000;
/** Some day: rows of long ago are refused. */
const DAY = Date.UTC(2026, 0, 5);

describe('retention', () => {
  it('has no timer before there is something to do, then runs soon and every hour until nothing is left', async () => {
    const clock = new FakeClock();
    const runs: number[] = [];
    const retention = new Retention(clock, () => {
      runs.push(clock.now());
      return Promise.resolve(runs.length < 3);
    });
    assert.equal(clock.pending, 0);
    retention.note();
    retention.note();
    assert.equal(clock.pending, 1);
    await clock.advance(10 * HOUR_MS);
    assert.deepEqual(runs, [60_000, 60_000 + HOUR_MS, 60_000 + 2 * HOUR_MS]);
    assert.equal(clock.pending, 0);
    retention.note();
    retention.close();
    assert.equal(clock.pending, 0);
  });

  it('goes on for what was noted while it ran, but never after its end', async () => {
    const clock = new FakeClock();
    const turns: PromiseWithResolvers<boolean>[] = [];
    const retention = new Retention(clock, () => {
      turns.push(Promise.withResolvers<boolean>());
      return turns.at(-1)?.promise ?? Promise.resolve(false);
    });
    retention.note();
    await clock.advance(60_000);
    retention.note();
    assert.equal(clock.pending, 0, 'never two at once');
    turns[0]?.resolve(false);
    await clock.settle();
    assert.equal(clock.pending, 1);
    await clock.advance(HOUR_MS);
    retention.close();
    turns[1]?.resolve(true);
    await clock.settle();
    assert.equal(clock.pending, 0);
  });
});

/** Waits for a store that works in its own thread. */
async function rowsBecome(buckets: Buckets, key: BucketKey, rows: number): Promise<void> {
  const giveUpAt = Date.now() + 5000;
  while ((await buckets.get(key))?.rows !== rows) assert.ok(Date.now() < giveUpAt, `never ${rows} rows`);
}

describeStores('old rows of a bucket', (open) => {
  it('are removed once an hour, also where nothing is written', async () => {
    let now = DAY;
    const store = await open({ now: () => now });
    const { bench } = await scene({ store });
    const { buckets } = bench.services;
    const { clock } = bench.broker;
    const kept = { user: 'anna', bucket: 'kept' };
    const brief = { user: 'bob', bucket: 'brief' };
    await buckets.define(kept, {});
    assert.equal(clock.pending - bench.broker.server.deviceCount, 0, 'no timer but those of the devices');
    await buckets.define(brief, { retention: { period: 2, unit: 'hours' } });
    for (const key of [kept, brief]) {
      await buckets.write(key, [{ ts: now - HOUR_MS, value: { n: 1 } }, { value: { n: 2 } }]);
    }
    now += 1.5 * HOUR_MS;
    await clock.advance(60_000);
    await rowsBecome(buckets, brief, 1);
    await bench.broker.until(() => clock.pending > bench.broker.server.deviceCount);
    now += HOUR_MS;
    await clock.advance(HOUR_MS);
    await rowsBecome(buckets, brief, 0);
    assert.equal((await buckets.get(kept))?.rows, 2);
  });

  it('are removed after a restart, too, and a bucket that goes meanwhile costs nothing', async () => {
    let now = DAY;
    const store = await open({ now: () => now });
    for (const bucket of ['a', 'b']) {
      await store.buckets.define({ user: 'anna', bucket }, { retention: { period: 1, unit: 'hours' } });
    }
    const { bench } = await scene({ store });
    const { clock, warnings } = bench.broker;
    await bench.broker.until(() => clock.pending > bench.broker.server.deviceCount);
    await bench.services.buckets.remove({ user: 'anna', bucket: 'a' });
    await store.buckets.write({ user: 'anna', bucket: 'b' }, [{ ts: now - 3_600_000, value: { n: 1 } }]);
    now += 1;
    await clock.advance(60_000);
    await rowsBecome(bench.services.buckets, { user: 'anna', bucket: 'b' }, 0);
    assert.deepEqual(warnings, []);
  });
});
