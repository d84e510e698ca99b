import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { SampleThinning } from '../../../../src/broker/hub/sample-thinning';
import { FakeClock } from '../../support/fake-clock';
import type { FakeSource } from './fake-source';
import { HubBench, type TestSubscriber } from './fixtures';

/** When samples that a device sends at these times are passed on, in ms. Each sample is the time at which it was sent. */
async function passed(
  intervalMs: number,
  times: readonly number[],
): Promise<[sample: unknown, at: number][]> {
  const clock = new FakeClock();
  const out: [unknown, number][] = [];
  const thinning = new SampleThinning(clock, {
    pass: (sample) => out.push([sample, clock.now()]),
    thinned: () => undefined,
  });
  thinning.begin(intervalMs);
  for (const time of times) {
    await clock.advance(time - clock.now());
    thinning.take(time, time);
  }
  await clock.advance(6 * intervalMs);
  assert.equal(clock.pending, 0);
  return out;
}

const atOnce = (times: readonly number[]): [number, number][] => times.map((time) => [time, time]);
const grid = (count: number, stepMs: number): number[] => Array.from({ length: count }, (_, i) => i * stepMs);

describe('Samples at the interval that was asked for', () => {
  it('all pass at once, with a jitter of a third of the interval', async () => {
    const jitter = fc.array(fc.integer({ min: -160, max: 160 }), { minLength: 60, maxLength: 60 });
    const property = fc.asyncProperty(jitter, async (offsets) => {
      const times = offsets.map((offset, i) => 1000 * i + (i === 0 ? 0 : offset));
      assert.deepEqual(await passed(1000, times), atOnce(times));
    });
    await fc.assert(property, { numRuns: 30 });
  });

  for (const [what, step] of [
    ['6 % faster', 945],
    ['a third slower', 1333],
  ] as const) {
    it(`all pass at once where the clock of the device runs ${what}`, async () => {
      const times = grid(200, step);
      assert.deepEqual(await passed(1000, times), atOnce(times));
    });
  }

  it('all pass at once where a stalled network brings ten of them in one piece', async () => {
    const times = [0, 1000, ...Array.from({ length: 10 }, () => 11_000), 12_000, 13_000];
    assert.deepEqual(await passed(1000, times), atOnce(times));
  });

  it('give way where a stall brings more than ten: the newest passes when it is due', async () => {
    const times = [0, ...Array.from({ length: 18 }, () => 14_000)];
    const out = await passed(1000, times);
    assert.deepEqual(out.slice(-2), [
      [14_000, 14_000],
      [14_000, 20_000],
    ]);
    assert.equal(out.length, 17);
  });

  it('pass at once with four in between, echoes or events, and with another one for each 8 s without', async () => {
    const early = [0, 200, 300, 400, 450, 1000, 2000];
    assert.deepEqual(await passed(1000, early), atOnce(early));
    const later = [...early, ...grid(8, 1000).map((time) => time + 3000), 10_300, 11_000];
    assert.deepEqual(await passed(1000, later), atOnce(later));
    const slow = [0, 60_000, 60_100, 60_200, 60_300, 60_400, 120_000];
    assert.deepEqual(await passed(60_000, slow), atOnce(slow));
  });
});

describe('Samples that come faster', () => {
  it('pass on the newest at the interval that was asked for', async () => {
    const out = await passed(1000, grid(800, 10));
    assert.deepEqual(out, [
      ...atOnce([0, 10, 20, 30, 40]),
      // The four that came too early are paid back.
      ...Array.from({ length: 2 }, (_, i) => [1000 * i + 5990, 1000 * i + 6000]),
      [7990, 8000],
    ]);
  });

  it('are less than 1.2 in an interval, however fast they come', async () => {
    for (const step of [100, 300, 400, 500, 520, 600, 700, 800, 850]) {
      const out = await passed(1000, grid(Math.ceil(100_000 / step), step));
      assert.ok(out.length <= 120, `${out.length} of samples each ${step} ms`);
      assert.ok(out.length >= 98, `${out.length} of samples each ${step} ms`);
    }
  });

  it('come in step again after some that had to wait', async () => {
    const times = [0, 100, 200, 300, 400, 450, ...grid(40, 1000).slice(1)];
    const out = await passed(1000, times);
    assert.deepEqual(out.slice(0, 6), [...atOnce([0, 100, 200, 300, 400]), [5000, 6000]]);
    assert.deepEqual(out.slice(-20), atOnce(times.slice(-20)));
  });

  it('pass for a second at once where the interval is shorter than that', async () => {
    const times = Array.from({ length: 11 }, () => 0);
    assert.deepEqual(await passed(100, times), atOnce(times));
  });
});

describe('A device stream that floods', () => {
  /** Lets the device send samples for some seconds. */
  async function flood(
    bench: HubBench,
    source: FakeSource,
    seconds: number,
    perSecond: number,
  ): Promise<void> {
    await bench.run(source, seconds * perSecond, 1000 / perSecond);
  }

  async function streaming(intervalMs = 1000): Promise<[HubBench, FakeSource, TestSubscriber]> {
    const bench = new HubBench();
    const source = await bench.connect();
    return [bench, source, await bench.subscribe(intervalMs)];
  }

  const FASTER = 'anna/pump/level: samples come faster than each 1000 ms: only the newest are passed on';
  const AGAIN = 'anna/pump/level: too many samples: 10/s, not one in 1000 ms. The stream is started again';

  it('is thinned out before its subscribers, is counted, and is told once', async () => {
    const [bench, source, subscriber] = await streaming();
    await flood(bench, source, 8, 1000);
    assert.ok(subscriber.samples.length <= 9, String(subscriber.samples.length));
    assert.deepEqual(bench.warnings, [FASTER]);
    assert.ok(bench.hub.thinned >= 7980, String(bench.hub.thinned));
    bench.hub.close();
    assert.equal(bench.clock.pending, 0);
  });

  it('is started again at ten times the samples for 10 s, and stopped when that does not help', async () => {
    const [bench, source, subscriber] = await streaming();
    await flood(bench, source, 9, 10);
    assert.equal(source.starts.length, 1);
    await flood(bench, source, 1, 10);
    await bench.clock.settle();
    assert.deepEqual([source.starts.length, bench.warnings], [2, [FASTER, AGAIN]]);
    await flood(bench, source, 9, 10);
    assert.equal(subscriber.state, 'streaming');
    await flood(bench, source, 1, 10);
    await bench.clock.settle();
    assert.deepEqual([subscriber.state, source.stops.length, source.starts.length], ['failed', 1, 2]);
    const [error] = subscriber.errors as { code: string; message: string }[];
    assert.deepEqual(
      [error?.code, error?.message],
      ['IOTMP_ERR_RATE', 'too many samples: 10/s, not one in 1000 ms'],
    );
    await bench.clock.advance(600_000);
    assert.deepEqual([subscriber.state, source.starts.length], ['failed', 2]);
    bench.hub.close();
  });

  it('is opened again when somebody asks for it, and when its device comes again', async () => {
    const [bench, source, subscriber] = await streaming();
    await flood(bench, source, 21, 10);
    assert.equal(subscriber.state, 'failed');
    subscriber.subscription.ask();
    await bench.clock.settle();
    assert.deepEqual([subscriber.state, source.starts.length], ['streaming', 3]);
    await flood(bench, source, 21, 10);
    assert.equal(subscriber.state, 'failed');
    await bench.lose(source);
    const back = await bench.connect();
    assert.deepEqual([subscriber.state, back.starts.length], ['streaming', 1]);
    bench.hub.close();
  });

  it('is started again once more when it was calm for a minute', async () => {
    const [bench, source, subscriber] = await streaming();
    await flood(bench, source, 10, 10);
    await bench.run(source, 60, 1000);
    await flood(bench, source, 11, 10);
    await bench.clock.settle();
    assert.deepEqual([subscriber.state, source.starts.length], ['streaming', 3]);
    bench.hub.close();
  });

  for (const [what, intervalMs, perSecond] of [
    ['nine times the samples', 1000, 9],
    ['less than ten samples a second, however rarely they were asked for', 60_000, 9],
  ] as const) {
    it(`is not started again for ${what}`, async () => {
      const [bench, source] = await streaming(intervalMs);
      await flood(bench, source, 40, perSecond);
      assert.equal(source.starts.length, 1);
      bench.hub.close();
    });
  }

  it('is not started again where calm seconds lie between', async () => {
    const [bench, source] = await streaming();
    for (let i = 0; i < 5; i++) {
      await flood(bench, source, 8, 50);
      await bench.run(source, 2, 1000);
    }
    assert.equal(source.starts.length, 1);
    bench.hub.close();
  });

  it('is left alone where no interval was asked for', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(0);
    for (let i = 0; i < 3000; i++) {
      if (i % 100 === 0) await bench.clock.advance(1000);
      source.sample(i, 'event');
    }
    assert.deepEqual([subscriber.samples.length, source.starts.length, bench.warnings], [3000, 1, []]);
    bench.hub.close();
  });
});
