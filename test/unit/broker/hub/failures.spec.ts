import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError, RemoteError } from '../../../../src/errors';
import { FakeSource } from './fake-source';
import { HubBench, type TestSubscriber } from './fixtures';

const REFUSED = new RemoteError('no such resource', 404, undefined);
const TIMEOUT = new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer');
const ENDED = new IotmpError('IOTMP_ERR_CLOSED', 'the device ended the stream');

/** A subscriber whose stream the device answers like this. */
async function failing(
  bench: HubBench,
  answer: IotmpError,
  described = 3,
): Promise<{ source: FakeSource; subscriber: TestSubscriber }> {
  const source = new FakeSource(described);
  source.answer = answer;
  await bench.connect(source);
  return { source, subscriber: await bench.subscribe(0) };
}

describe('a stream that the device refuses', () => {
  it('is failed with the error, and not tried again by itself', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, REFUSED);
    await bench.clock.advance(600_000);
    assert.deepEqual(subscriber.subscription.state, { kind: 'failed', error: REFUSED });
    assert.deepEqual([subscriber.states, subscriber.errors], [['failed'], [REFUSED]]);
    assert.deepEqual([source.starts.length, bench.clock.pending], [1, 0]);
    bench.hub.close();
  });

  it('is tried again when a person asks', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, REFUSED, 2);
    source.answer = 'ok';
    subscriber.subscription.ask();
    await bench.clock.settle();
    assert.deepEqual(subscriber.states, ['failed', 'starting', 'streaming']);
    assert.equal(source.starts.length, 2);
    bench.hub.close();
  });

  it('is tried again when a subscriber comes', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, REFUSED);
    source.answer = 'ok';
    await bench.subscribe(0);
    assert.deepEqual([source.starts.length, subscriber.state], [2, 'streaming']);
    bench.hub.close();
  });

  it('is tried again when the device is back, if it is an output', async () => {
    for (const [described, starts] of [
      [3, 1],
      [2, 0],
    ] as const) {
      const bench = new HubBench();
      const { source, subscriber } = await failing(bench, REFUSED, described);
      await bench.lose(source);
      const back = await bench.connect(new FakeSource(described));
      assert.equal(back.starts.length, starts);
      assert.equal(subscriber.state, starts === 1 ? 'streaming' : 'held');
      bench.hub.close();
    }
  });
});

describe('a stream that the device does not answer', () => {
  it('is tried again after 5, 15 and 60 s, if it is an output', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, TIMEOUT);
    let starts = 1;
    for (const wait of [5000, 15_000, 60_000, 60_000]) {
      assert.equal(subscriber.state, 'failed');
      await bench.clock.advance(wait - 1);
      assert.equal(source.starts.length, starts);
      await bench.clock.advance(1);
      assert.equal(source.starts.length, ++starts);
    }
    source.answer = 'ok';
    await bench.clock.advance(60_000);
    assert.deepEqual([subscriber.state, bench.clock.pending], ['streaming', 0]);
    bench.hub.close();
  });

  it('stays failed if it is an input: the first try may have acted', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, TIMEOUT, 2);
    await bench.clock.advance(600_000);
    assert.deepEqual([source.starts.length, subscriber.state, bench.clock.pending], [1, 'failed', 0]);
    bench.hub.close();
  });

  it('is tried again at once when a person asks', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, TIMEOUT, 2);
    source.answer = 'ok';
    subscriber.subscription.ask();
    await bench.clock.settle();
    assert.deepEqual([source.starts.length, subscriber.state, bench.clock.pending], [2, 'streaming', 0]);
    bench.hub.close();
  });

  it('is forgotten when the last subscriber leaves, or the device', async () => {
    for (const end of [
      (_bench: HubBench, subscriber: TestSubscriber) => subscriber.close(),
      (bench: HubBench, _subscriber: TestSubscriber, source: FakeSource) => bench.lose(source),
    ]) {
      const bench = new HubBench();
      const { source, subscriber } = await failing(bench, TIMEOUT);
      assert.equal(bench.clock.pending, 1);
      await end(bench, subscriber, source);
      assert.equal(bench.clock.pending, 0);
      bench.hub.close();
    }
  });

  it('does not keep the other stream of the resource from being opened', async () => {
    const bench = new HubBench();
    const { source } = await failing(bench, TIMEOUT);
    source.answer = 'ok';
    const periodic = await bench.subscribe(1000);
    assert.equal(periodic.state, 'streaming');
    await bench.clock.advance(5000);
    assert.deepEqual(source.openKinds, ['periodic', 'event']);
    bench.hub.close();
  });
});

describe('a stream that could not even be asked for', () => {
  it('is tried again on an input, too', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, new IotmpError('IOTMP_ERR_BUSY', 'full'), 2);
    source.answer = 'ok';
    await bench.clock.advance(5000);
    assert.deepEqual([source.lookups, subscriber.state], [0, 'streaming']);
    bench.hub.close();
  });

  it('stays failed when trying again cannot help', async () => {
    const bench = new HubBench();
    const { source, subscriber } = await failing(bench, new IotmpError('IOTMP_ERR_TOO_LARGE', 'name'));
    await bench.clock.advance(600_000);
    assert.deepEqual([source.starts.length, subscriber.state], [1, 'failed']);
    bench.hub.close();
  });
});

describe('a stream that the device ends', () => {
  it('is failed with the reason, and opened again after 5 s if it is an output', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(0);
    source.endStream(ENDED, 'event');
    await bench.clock.settle();
    assert.deepEqual(subscriber.subscription.state, { kind: 'failed', error: ENDED });
    await bench.clock.advance(4999);
    assert.equal(source.starts.length, 1);
    await bench.clock.advance(1);
    assert.deepEqual([source.starts.length, subscriber.state], [2, 'streaming']);
    bench.hub.close();
  });

  it('stays failed if it is an input', async () => {
    const bench = new HubBench();
    const source = await bench.connect(new FakeSource(4));
    const subscriber = await bench.subscribe(0);
    source.endStream(ENDED, 'event');
    await bench.clock.advance(600_000);
    assert.deepEqual([source.starts.length, subscriber.state, bench.clock.pending], [1, 'failed', 0]);
    bench.hub.close();
  });

  it('again and again is opened after longer and longer waits, until it was sound for a minute', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(0);
    let starts = 1;
    const endsAndIsBackAfter = async (wait: number): Promise<void> => {
      source.endStream(ENDED, 'event');
      await bench.clock.advance(wait - 1);
      assert.equal(source.starts.length, starts);
      await bench.clock.advance(1);
      assert.equal(source.starts.length, ++starts);
    };
    await endsAndIsBackAfter(5000);
    await endsAndIsBackAfter(15_000);
    await endsAndIsBackAfter(60_000);
    await bench.clock.advance(60_000);
    await endsAndIsBackAfter(5000);
    bench.hub.close();
  });

  it('in the moment in which it opens it is failed, too', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.answer = 'hold';
    await bench.connect(source);
    const subscriber = await bench.subscribe(0);
    source.answerHeld();
    source.endStream(ENDED, 'event');
    await bench.clock.settle();
    assert.deepEqual(subscriber.subscription.state, { kind: 'failed', error: ENDED });
    bench.hub.close();
  });

  it('because its connection ended is offline, and was never failed', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(0);
    await bench.lose(source);
    assert.deepEqual(subscriber.states, ['streaming', 'offline']);
    assert.equal(bench.clock.pending, 0);
    bench.hub.close();
  });
});
