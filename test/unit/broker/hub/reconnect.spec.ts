import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError, RemoteError } from '../../../../src/errors';
import { FakeSource } from './fake-source';
import { DEVICE, HubBench, RESOURCE, TestSubscriber } from './fixtures';

const NO_DESCRIPTION = new IotmpError('IOTMP_ERR_TIMEOUT', 'no description');

describe('when a device comes back', () => {
  it('its outputs are opened again', async () => {
    const bench = new HubBench();
    const first = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    await bench.lose(first);
    assert.equal(subscriber.state, 'offline');
    const second = await bench.connect(new FakeSource(3));
    assert.deepEqual([second.lookups, second.starts.length], [1, 1]);
    assert.deepEqual(subscriber.states, ['streaming', 'offline', 'starting', 'streaming']);
    assert.equal(bench.clock.pending, 1);
    bench.hub.close();
  });

  for (const [name, fn] of [
    ['a run', 1],
    ['an input', 2],
    ['an input and output', 4],
    ['a resource that it does not name', 'unnamed'],
  ] as const) {
    it(`${name} is held until somebody asks`, async () => {
      const bench = new HubBench();
      const first = await bench.connect(new FakeSource(fn));
      const subscriber = await bench.subscribe(0);
      assert.deepEqual([first.lookups, first.starts.length], [0, 1]);
      await bench.lose(first);
      const second = await bench.connect(new FakeSource(fn));
      await bench.clock.advance(600_000);
      assert.deepEqual([second.starts.length, subscriber.state], [0, 'held']);
      subscriber.subscription.ask();
      await bench.clock.settle();
      assert.deepEqual([second.starts.length, subscriber.state], [1, 'streaming']);
      bench.hub.close();
    });
  }

  it('who subscribes unasked gets outputs, and nothing else until somebody asks', async () => {
    for (const [fn, starts] of [
      [3, 1],
      [2, 0],
      [4, 0],
    ] as const) {
      for (const isThere of [true, false]) {
        const bench = new HubBench();
        const source = new FakeSource(fn);
        if (isThere) await bench.connect(source);
        const subscriber = { intervalMs: 1000, unasked: true, onSample: (): void => undefined };
        const subscription = bench.hub.subscribe(DEVICE, RESOURCE, subscriber);
        await bench.clock.settle();
        if (!isThere) await bench.connect(source);
        assert.equal(source.starts.length, starts);
        assert.equal(subscription.state.kind, starts === 1 ? 'streaming' : 'held');
        subscription.ask();
        await bench.clock.settle();
        assert.equal(source.starts.length, 1);
        bench.hub.close();
      }
    }
  });

  it('a held stream is opened by a new subscriber', async () => {
    const bench = new HubBench();
    const first = await bench.connect(new FakeSource(2));
    const subscriber = await bench.subscribe(0);
    await bench.lose(first);
    const second = await bench.connect(new FakeSource(2));
    await bench.subscribe(0);
    assert.deepEqual([second.starts.length, subscriber.state], [1, 'streaming']);
    bench.hub.close();
  });

  it('the first subscriber of events is told only what changes after it came', async () => {
    const bench = new HubBench();
    await bench.lose(await bench.subscribeOn(new FakeSource(2)));
    await bench.connect(new FakeSource(2));
    const first = new TestSubscriber(bench, 0);
    assert.equal(first.state, 'starting');
    await bench.clock.settle();
    assert.deepEqual(first.states, ['streaming']);
    bench.hub.close();
  });

  it('asking while it was away opens the stream, once', async () => {
    const bench = new HubBench();
    let source = await bench.connect(new FakeSource(2));
    const subscriber = await bench.subscribe(0);
    await bench.lose(source);
    subscriber.subscription.ask();
    source = await bench.connect(new FakeSource(2));
    assert.deepEqual([source.lookups, source.starts.length], [0, 1]);
    await bench.lose(source);
    source = await bench.connect(new FakeSource(2));
    assert.deepEqual([source.starts.length, subscriber.state], [0, 'held']);
    bench.hub.close();
  });

  it('what one asked for who has left is not opened for those who stay', async () => {
    const bench = new HubBench();
    const first = await bench.connect(new FakeSource(2));
    const stays = await bench.subscribe(0);
    await bench.lose(first);
    const leaves = await bench.subscribe(0);
    leaves.close();
    const second = await bench.connect(new FakeSource(2));
    assert.deepEqual([second.starts.length, stays.state], [0, 'held']);
    bench.hub.close();
  });

  it('one who asked and was joined while the stream opened has not asked for the next time', async () => {
    const bench = new HubBench();
    const first = new FakeSource(2);
    first.answer = 'hold';
    await bench.connect(first);
    const a = await bench.subscribe(0);
    await bench.subscribe(0);
    a.subscription.ask();
    first.answerHeld();
    await bench.clock.settle();
    assert.equal(first.starts.length, 1);
    await bench.lose(first);
    const second = await bench.connect(new FakeSource(2));
    assert.deepEqual([second.starts.length, a.state], [0, 'held']);
    bench.hub.close();
  });

  it('a start that the end of the connection cut off is not repeated on an input', async () => {
    const bench = new HubBench();
    const first = new FakeSource(2);
    first.answer = 'hold';
    await bench.connect(first);
    const subscriber = await bench.subscribe(0);
    await bench.lose(first);
    const second = await bench.connect(new FakeSource(2));
    assert.deepEqual([second.starts.length, subscriber.state], [0, 'held']);
    bench.hub.close();
  });

  it('a start that never reached it is repeated on an input', async () => {
    const bench = new HubBench();
    const first = new FakeSource(2);
    first.answer = new IotmpError('IOTMP_ERR_BUSY', 'too many requests');
    await bench.connect(first);
    await bench.subscribe(0);
    await bench.lose(first);
    const second = await bench.connect(new FakeSource(2));
    assert.equal(second.starts.length, 1);
    bench.hub.close();
  });

  it('the last sample of the old connection is not given to those who come late', async () => {
    const bench = new HubBench();
    const first = await bench.connect();
    await bench.subscribe(0);
    first.sample('old', 'event');
    await bench.lose(first);
    await bench.connect();
    const late = await bench.subscribe(0);
    assert.deepEqual([late.state, late.samples], ['streaming', []]);
    bench.hub.close();
  });

  it('its first sample is for everyone, whatever their pace', async () => {
    const bench = new HubBench();
    const first = await bench.connect();
    const [, slow] = [await bench.subscribe(1000), await bench.subscribe(60_000)];
    first.sample(1);
    await bench.lose(first);
    const second = await bench.connect();
    second.sample(2);
    assert.deepEqual(slow.samples, [1, 2]);
    bench.hub.close();
  });
});

describe('a device that does not describe itself', () => {
  it('is asked again after 5, 15 and 60 s, and its streams are held meanwhile', async () => {
    const bench = new HubBench();
    await bench.lose(await bench.subscribeOn(new FakeSource()));
    const source = await bench.connect(new FakeSource(NO_DESCRIPTION));
    const [subscriber] = bench.subscribers;
    assert.deepEqual([source.lookups, subscriber?.state], [1, 'held']);
    for (const [wait, lookups] of [
      [5000, 2],
      [15_000, 3],
      [60_000, 4],
      [60_000, 5],
    ] as const) {
      await bench.clock.advance(wait - 1);
      assert.equal(source.lookups, lookups - 1);
      await bench.clock.advance(1);
      assert.equal(source.lookups, lookups);
    }
    assert.deepEqual([source.starts.length, bench.warnings.length], [0, 1]);
    source.described = 3;
    await bench.clock.advance(60_000);
    assert.deepEqual([source.starts.length, subscriber?.state], [1, 'streaming']);
    bench.hub.close();
  });

  it('opens what is asked for without waiting for the description', async () => {
    const bench = new HubBench();
    await bench.lose(await bench.subscribeOn(new FakeSource()));
    const source = await bench.connect(new FakeSource('hold'));
    const [subscriber] = bench.subscribers;
    assert.deepEqual([source.lookups, subscriber?.state], [1, 'starting']);
    subscriber?.subscription.ask();
    await bench.clock.settle();
    assert.equal(source.starts.length, 1);
    source.describeHeld(3);
    await bench.clock.settle();
    assert.equal(source.starts.length, 1);
    bench.hub.close();
  });

  it('is asked no more when it is gone', async () => {
    const bench = new HubBench();
    await bench.lose(await bench.subscribeOn(new FakeSource()));
    const [waiting, held] = [new FakeSource(NO_DESCRIPTION), new FakeSource('hold')];
    await bench.lose(await bench.connect(waiting));
    assert.equal(bench.clock.pending, 0);
    await bench.lose(await bench.connect(held));
    held.describeHeld(NO_DESCRIPTION);
    await bench.clock.settle();
    assert.deepEqual([waiting.lookups, held.lookups, bench.clock.pending], [1, 1, 0]);
    bench.hub.close();
  });

  it('is asked no more when nobody subscribes', async () => {
    const bench = new HubBench();
    await bench.lose(await bench.subscribeOn(new FakeSource()));
    await bench.connect(new FakeSource(NO_DESCRIPTION));
    bench.subscribers[0]?.close();
    assert.deepEqual([bench.clock.pending, bench.hub.size], [0, 0]);
  });
});

describe('a take-over', () => {
  it('moves the streams to the new connection', async () => {
    const bench = new HubBench();
    const old = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    const fresh = await bench.connect();
    assert.deepEqual([fresh.starts.length, subscriber.state], [1, 'streaming']);
    assert.deepEqual(subscriber.states, ['streaming', 'starting', 'streaming']);
    old.sample('old');
    fresh.sample('new');
    assert.deepEqual(subscriber.samples, ['new']);
    bench.hub.close();
  });

  it('is not disturbed by the late end of the old connection', async () => {
    const bench = new HubBench();
    const old = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    const fresh = await bench.connect();
    const states = subscriber.states.length;
    await bench.lose(old);
    await bench.clock.advance(1000);
    assert.deepEqual(
      [subscriber.state, subscriber.states.length, fresh.starts.length],
      ['streaming', states, 1],
    );
    bench.hub.close();
  });

  it('is not disturbed by late answers of the old connection, and leaves no stream there', async () => {
    const bench = new HubBench();
    const old = new FakeSource();
    old.answer = 'hold';
    await bench.connect(old);
    void bench.subscribe(0);
    const subscriber = await bench.subscribe(1000);
    const fresh = await bench.connect();
    const kinds = fresh.starts.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['event', 'periodic', 'event']); // the event stream was asked for and needs no look-up
    old.answerHeld();
    await bench.clock.settle();
    assert.deepEqual([old.streams.size, old.stops.length], [0, 1]);
    await bench.subscribe(1000);
    assert.deepEqual([fresh.starts.length, subscriber.state], [3, 'streaming']);
    bench.hub.close();
  });

  it('is not disturbed by a late refusal of the old connection', async () => {
    const bench = new HubBench();
    const old = new FakeSource();
    old.answer = 'hold';
    await bench.connect(old);
    const subscriber = await bench.subscribe(1000);
    const fresh = await bench.connect();
    old.answerHeld(new RemoteError('refused', 500, undefined));
    await bench.clock.settle();
    assert.deepEqual([fresh.starts.length, subscriber.state], [1, 'streaming']);
    bench.hub.close();
  });

  it('is not disturbed by a late stop on the old connection', async () => {
    const bench = new HubBench();
    const old = await bench.connect();
    old.stopAnswer = 'hold';
    (await bench.subscribe(1000)).close();
    await bench.clock.settle();
    const subscriber = await bench.subscribe(1000);
    const fresh = await bench.connect();
    old.answerHeld();
    await bench.clock.settle();
    assert.deepEqual([fresh.starts.length, subscriber.state], [1, 'streaming']);
    bench.hub.close();
  });

  it('by the same connection is none', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    await bench.connect(source);
    assert.equal(source.starts.length, 1);
    bench.hub.close();
  });

  it('lets a stop go that the old connection did not answer', async () => {
    const bench = new HubBench();
    const old = await bench.connect();
    old.stopAnswer = 'hold';
    (await bench.subscribe(1000)).close();
    await bench.clock.settle();
    assert.equal(bench.hub.size, 1);
    const fresh = await bench.connect();
    assert.deepEqual([bench.hub.size, fresh.starts.length], [0, 0]);
    bench.hub.deviceDisconnected(DEVICE, fresh);
    old.answerHeld();
    await bench.clock.settle();
    assert.deepEqual([bench.hub.size, bench.clock.pending], [0, 0]);
  });
});
