import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../../src/errors';
import { FakeSource } from './fake-source';
import { HubBench, type TestSubscriber } from './fixtures';

const MAP = ['periodic', { interval: 1000 }];
const NUMBER = ['periodic', 1000];

/** A stream with samples every second. */
async function streaming(bench: HubBench): Promise<{ source: FakeSource; subscriber: TestSubscriber }> {
  const source = await bench.connect();
  const subscriber = await bench.subscribe(1000);
  source.sample('at once');
  await bench.run(source, 5, 1000);
  return { source, subscriber };
}

describe('a device that does not understand the map', () => {
  it('is asked once with the bare number when nothing follows the first sample', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    source.sample('at once');
    await bench.clock.advance(2999);
    assert.deepEqual(source.started, [MAP]);
    await bench.clock.advance(1);
    assert.deepEqual(source.started, [MAP, NUMBER]);
    assert.equal(source.starts[0]?.id, source.starts[1]?.id);
    source.sample('at once');
    await bench.run(source, 20, 1000);
    assert.deepEqual([source.starts.length, subscriber.state], [2, 'streaming']);
    bench.hub.close();
  });

  it('is asked with the number for other intervals, too, once that has worked', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    await bench.clock.advance(3000);
    await bench.run(source, 2, 1000);
    await bench.subscribe(500);
    assert.deepEqual(source.started, [MAP, NUMBER, ['periodic', 500]]);
    bench.hub.close();
  });

  it('is asked with the number at once in later streams and connections, once that has worked', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    await bench.clock.advance(3000);
    source.sample('at once');
    await bench.run(source, 2, 1000);
    await bench.lose(source);
    const back = new FakeSource();
    back.intervals.intervalForm = source.intervals.intervalForm;
    await bench.connect(back);
    back.sample('at once');
    await bench.run(back, 20, 1000);
    assert.deepEqual(back.started, [NUMBER]);
    bench.hub.close();
  });

  it('is asked with the map when the number, which its old firmware understood, brings nothing', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.intervals.intervalForm = 'number';
    await bench.subscribeOn(source);
    source.sample('at once');
    await bench.clock.advance(3000);
    assert.deepEqual(source.started, [NUMBER, MAP]);
    assert.equal(source.intervals.intervalForm, 'number');
    source.sample('at once');
    await bench.run(source, 2, 1000);
    assert.equal(source.intervals.intervalForm, 'map');
    bench.hub.close();
  });

  it('is asked with the map again on the next connection where the number did not work either', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    await bench.clock.advance(3000);
    await bench.lose(source);
    const back = await bench.connect();
    await bench.clock.advance(3000);
    assert.deepEqual(back.started, [MAP, NUMBER]);
    bench.hub.close();
  });

  it('has its event stream started again after that', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    await bench.subscribe(0);
    await bench.clock.advance(3000);
    assert.deepEqual(source.started.slice(2), [NUMBER, ['event', undefined]]);
    bench.hub.close();
  });
});

describe('a device that understands the map', () => {
  it('is never asked with the number, however coarse its clock is', async () => {
    for (const [interval, real] of [
      [300, 1000],
      [1500, 2000],
      [2500, 3000],
    ] as const) {
      const bench = new HubBench();
      const source = await bench.connect();
      const subscriber = await bench.subscribe(interval);
      await bench.clock.advance(real - 1); // without the sample that comes at once
      source.sample(0);
      await bench.run(source, 20, real);
      assert.deepEqual([source.started, subscriber.state], [[['periodic', { interval }]], 'streaming']);
      assert.equal(subscriber.samples.length, 21);
      bench.hub.close();
    }
  });

  it('is not asked with the number when it falls silent later', async () => {
    const bench = new HubBench();
    const { source } = await streaming(bench);
    await bench.clock.advance(60_000);
    assert.deepEqual(source.started, [MAP, MAP]);
    bench.hub.close();
  });
});

describe('a stream that falls silent', () => {
  it('is stalled after three intervals and started again, once', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    await bench.clock.advance(3999);
    assert.deepEqual([subscriber.state, source.starts.length], ['streaming', 1]);
    await bench.clock.advance(1);
    assert.deepEqual([subscriber.state, source.starts.length], ['stalled', 2]);
    await bench.clock.advance(600_000);
    assert.deepEqual([subscriber.state, source.starts.length], ['stalled', 2]);
    assert.deepEqual(subscriber.states, ['streaming', 'stalled']);
    assert.equal(bench.clock.pending, 0);
    bench.hub.close();
  });

  it('is streaming when samples come again, and gets another restart later', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    await bench.clock.advance(4000);
    await bench.run(source, 2, 1000);
    assert.deepEqual(subscriber.states, ['streaming', 'stalled', 'streaming']);
    await bench.clock.advance(4000);
    assert.deepEqual([subscriber.state, source.starts.length], ['stalled', 3]);
    bench.hub.close();
  });

  it('is not started again and again by the one sample that comes at once', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    for (let i = 0; i < 10; i++) {
      const { length } = source.starts;
      await bench.clock.advance(4000);
      if (source.starts.length > length) source.sample('at once');
    }
    assert.deepEqual([source.starts.length, subscriber.state], [2, 'stalled']);
    bench.hub.close();
  });

  it('is not started again and again by a sample now and then', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    for (let i = 0; i < 10; i++) {
      await bench.clock.advance(10_000);
      source.sample(i);
    }
    assert.deepEqual([source.starts.length, subscriber.state], [2, 'streaming']);
    bench.hub.close();
  });

  it('tells those who come late nothing old, and is started again for them', async () => {
    const bench = new HubBench();
    const { source } = await streaming(bench);
    await bench.clock.advance(60_000);
    const late = await bench.subscribe(1000);
    assert.deepEqual([late.samples, late.state, source.starts.length], [[], 'stalled', 3]);
    bench.hub.close();
  });

  it('is started again when a person asks', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    await bench.clock.advance(60_000);
    subscriber.subscription.ask();
    await bench.clock.settle();
    assert.equal(source.starts.length, 3);
    source.sample(1);
    assert.equal(subscriber.state, 'streaming');
    bench.hub.close();
  });

  it('still takes what is written', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    await bench.clock.advance(60_000);
    subscriber.subscription.write(1);
    assert.equal(source.written.length, 1);
    bench.hub.close();
  });

  it('goes back to the map when the number brought nothing', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    await bench.clock.advance(600_000);
    assert.deepEqual(source.started, [MAP, NUMBER, MAP]);
    assert.deepEqual(subscriber.states, ['streaming', 'stalled']);
    bench.hub.close();
  });

  it('is watched on when its restart fails', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    source.answer = new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer');
    await bench.clock.advance(600_000);
    assert.deepEqual([source.starts.length, subscriber.state, bench.clock.pending], [3, 'stalled', 0]);
    assert.equal(bench.warnings.length, 2);
    bench.hub.close();
  });

  it('is not missed while a restart waits for its answer', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await streaming(bench);
    source.answer = 'hold';
    await bench.subscribe(500);
    await bench.clock.advance(60_000);
    assert.deepEqual([subscriber.state, source.starts.length], ['streaming', 2]);
    source.answerHeld();
    await bench.clock.advance(4000);
    assert.equal(subscriber.state, 'stalled');
    bench.hub.close();
  });

  it('needs no timer per sample: one for the silence, and one for samples that come too early', async () => {
    const bench = new HubBench();
    const { source } = await streaming(bench);
    assert.equal(bench.clock.pending, 1);
    for (let i = 0; i < 1000; i++) source.sample(i);
    assert.equal(bench.clock.pending, 2);
    bench.hub.close();
  });
});
