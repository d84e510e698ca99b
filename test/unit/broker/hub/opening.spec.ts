import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../../src/errors';
import { FakeSource } from './fake-source';
import { DEVICE, HubBench, RESOURCE } from './fixtures';

describe('a device stream', () => {
  it('is opened by the first subscriber and stopped by the last', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const a = await bench.subscribe(1000);
    const b = await bench.subscribe(1000);
    assert.equal(a.state, 'streaming');
    a.close();
    await bench.clock.settle();
    assert.deepEqual(source.stops, []);
    b.close();
    b.close();
    await bench.clock.settle();
    assert.equal(source.stops.length, 1);
    assert.deepEqual([source.streams.size, bench.hub.size, bench.clock.pending], [0, 0, 0]);
    assert.equal(b.state, 'offline');
  });

  it('waits for a device that is not connected', async () => {
    const bench = new HubBench();
    const subscriber = await bench.subscribe(1000);
    assert.equal(subscriber.state, 'offline');
    const source = await bench.connect();
    assert.deepEqual(source.started, [['periodic', { interval: 1000 }]]);
    assert.deepEqual(subscriber.states, ['starting', 'streaming']);
    bench.hub.close();
  });

  it('is not opened for one who leaves in the same tick', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    bench.hub.subscribe(DEVICE, RESOURCE, { intervalMs: 0, onSample: () => undefined }).close();
    assert.equal(bench.hub.size, 0);
    await bench.clock.settle();
    assert.deepEqual([source.starts.length, source.stops.length], [0, 0]);
  });

  it('is opened for one who comes in the tick in which another one leaves', async () => {
    const bench = new HubBench();
    const leaves = await bench.subscribe(0);
    leaves.close();
    const stays = await bench.subscribe(0);
    assert.equal(bench.hub.size, 1);
    await bench.connect();
    assert.equal(stays.state, 'streaming');
    bench.hub.close();
  });

  it('is stopped as soon as it is open when everybody left meanwhile', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.answer = 'hold';
    await bench.connect(source);
    const subscriber = await bench.subscribe(1000);
    subscriber.close();
    await bench.clock.settle();
    assert.deepEqual([source.stops.length, bench.hub.size], [0, 1]);
    source.answerHeld();
    await bench.clock.settle();
    assert.equal(source.stops.length, 1);
    assert.deepEqual([source.streams.size, bench.hub.size, bench.clock.pending], [0, 0, 0]);
  });

  it('is kept for one who comes while it is being opened, or in the tick in which the last one leaves', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.answer = 'hold';
    await bench.connect(source);
    const first = await bench.subscribe(1000);
    first.close();
    const second = await bench.subscribe(1000);
    source.answerHeld();
    await bench.clock.settle();
    second.close();
    const third = await bench.subscribe(1000);
    assert.equal(third.state, 'streaming');
    assert.deepEqual([source.starts.length, source.stops.length, source.overlaps], [1, 0, 0]);
    bench.hub.close();
  });

  it('is opened again, after its stop was answered, for one who comes while it is being stopped', async () => {
    const bench = new HubBench();
    const source = await bench.connect(new FakeSource(2));
    source.stopAnswer = 'hold';
    const first = await bench.subscribe(1000);
    first.close();
    await bench.clock.settle();
    const second = await bench.subscribe(1000);
    assert.deepEqual([source.stops.length, source.starts.length, second.state], [1, 1, 'starting']);
    source.answerHeld();
    await bench.clock.settle();
    assert.deepEqual([source.starts.length, second.state], [2, 'streaming']);
    assert.deepEqual(second.states, ['streaming']);
    bench.hub.close();
  });

  it('passes samples on that come before the answer', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.answer = 'hold';
    await bench.connect(source);
    const subscriber = await bench.subscribe(1000);
    source.sample('early');
    assert.deepEqual([subscriber.samples, subscriber.state], [['early'], 'starting']);
    bench.hub.close();
  });
});

describe('the interval of a device stream', () => {
  it('changes under the same id when subscribers come and go', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    const b = await bench.subscribe(1500);
    await bench.subscribe(2000);
    b.close();
    await bench.clock.settle();
    assert.deepEqual(source.started, [
      ['periodic', { interval: 1000 }],
      ['periodic', { interval: 500 }],
      ['periodic', { interval: 1000 }],
    ]);
    assert.equal(new Set(source.starts.map(({ id }) => id)).size, 1);
    bench.hub.close();
  });

  it('changes once for all who come during a change', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(8000);
    source.answer = 'hold';
    for (const interval of [4000, 2000, 1000]) await bench.subscribe(interval);
    assert.equal(source.starts.length, 2);
    source.answer = 'ok';
    source.answerHeld();
    await bench.clock.settle();
    assert.deepEqual(source.starts.at(-1)?.parameters, { interval: 1000 });
    assert.deepEqual([source.starts.length, source.overlaps], [3, 0]);
    bench.hub.close();
  });

  it('stays as it was, with a warning, when the device refuses the change', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const a = await bench.subscribe(1000);
    source.answer = new IotmpError('IOTMP_ERR_REMOTE', 'no more');
    const b = await bench.subscribe(500);
    await bench.clock.settle();
    assert.deepEqual([source.starts.length, a.state, b.state], [2, 'streaming', 'streaming']);
    assert.deepEqual(bench.warnings, ['anna/pump/level: the stream could not be restarted: no more']);
    source.sample(1);
    assert.deepEqual([a.samples, b.samples], [[1], [1]]);
    bench.hub.close();
  });
});

describe('a change of the interval that the end of the connection cuts off', () => {
  it('is no news', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(1000);
    source.answer = 'hold';
    await bench.subscribe(500);
    await bench.lose(source);
    assert.deepEqual([bench.warnings, bench.clock.pending], [[], 0]);
    bench.hub.close();
  });
});

describe('the event stream', () => {
  it('is started after the periodic one', async () => {
    const bench = new HubBench();
    void bench.subscribe(0);
    await bench.subscribe(1000);
    const source = await bench.connect();
    assert.deepEqual(source.started, [
      ['periodic', { interval: 1000 }],
      ['event', undefined],
    ]);
    bench.hub.close();
  });

  it('is started again under its id when a periodic one comes after it', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(0);
    await bench.subscribe(1000);
    assert.deepEqual(source.started, [
      ['event', undefined],
      ['periodic', { interval: 1000 }],
      ['event', undefined],
    ]);
    assert.equal(source.starts[0]?.id, source.starts[2]?.id);
    bench.hub.close();
  });

  it('is started again when the interval of the periodic one changes, and not when that is stopped', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const [a] = [await bench.subscribe(1000), await bench.subscribe(0)];
    const b = await bench.subscribe(500);
    assert.deepEqual(source.started.slice(2), [
      ['periodic', { interval: 500 }],
      ['event', undefined],
    ]);
    a.close();
    b.close();
    await bench.clock.settle();
    assert.equal(source.starts.length, 4);
    assert.deepEqual(source.openKinds, ['event']);
    bench.hub.close();
  });

  it('is not watched for silence', async () => {
    const bench = new HubBench();
    await bench.connect();
    const subscriber = await bench.subscribe(0);
    await bench.clock.advance(86_400_000);
    assert.deepEqual([subscriber.state, bench.clock.pending], ['streaming', 0]);
    bench.hub.close();
  });
});

describe('writing', () => {
  it('goes to the event stream where that is open, else to the periodic one', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const a = await bench.subscribe(1000);
    a.subscription.write(true);
    const b = await bench.subscribe(0);
    a.subscription.write(1);
    b.subscription.write(2);
    assert.deepEqual(source.written, [
      { kind: 'periodic', payload: true },
      { kind: 'event', payload: 1 },
      { kind: 'event', payload: 2 },
    ]);
    bench.hub.close();
  });

  it('is refused while no stream is open, and after the end of the subscription', async () => {
    const bench = new HubBench();
    const { subscription } = await bench.subscribe(1000);
    const write = (): void => subscription.write(1);
    assert.throws(write, { code: 'IOTMP_ERR_OFFLINE' });
    const source = new FakeSource();
    source.answer = 'hold';
    await bench.connect(source);
    assert.throws(write, { code: 'IOTMP_ERR_OFFLINE' });
    source.answerHeld();
    await bench.clock.settle();
    write();
    source.endStream(new IotmpError('IOTMP_ERR_CLOSED', 'ended'));
    assert.throws(write, { code: 'IOTMP_ERR_OFFLINE' });
    subscription.close();
    assert.throws(write, { code: 'IOTMP_ERR_CLOSED' });
    assert.equal(source.written.length, 1);
    await bench.clock.settle();
    assert.equal(bench.clock.pending, 0);
  });

  it('throws what the stream throws', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const { subscription } = await bench.subscribe(0);
    source.writeError = new IotmpError('IOTMP_ERR_ENCODE', 'a function');
    assert.throws(() => subscription.write(() => undefined), { code: 'IOTMP_ERR_ENCODE' });
    bench.hub.close();
  });
});

describe('closing the hub', () => {
  it('stops what is open, ends the subscriptions, and leaves nothing behind', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const [a, b] = [await bench.subscribe(1000), await bench.subscribe(0)];
    bench.hub.close();
    bench.hub.close();
    assert.deepEqual([a.states.at(-1), b.states.at(-1), a.state], ['offline', 'offline', 'offline']);
    assert.deepEqual([bench.hub.size, bench.clock.pending], [0, 0]);
    await bench.clock.settle();
    assert.deepEqual([source.stops.length, source.streams.size], [2, 0]);
    source.sample(1);
    a.close();
    bench.hub.deviceConnected(DEVICE, new FakeSource());
    assert.deepEqual([a.samples, bench.hub.size, bench.warnings], [[], 0, []]);
  });

  it('stops what opens only then', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.answer = 'hold';
    await bench.connect(source);
    await bench.subscribe(1000);
    bench.hub.close();
    source.answerHeld();
    await bench.clock.settle();
    assert.deepEqual([source.stops.length, source.streams.size, bench.clock.pending], [1, 0, 0]);
  });

  it('ends a wait for a retry and for a description', async () => {
    const bench = new HubBench();
    const failing = new FakeSource(new IotmpError('IOTMP_ERR_TIMEOUT', 'no description'));
    failing.answer = new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer');
    await bench.connect(failing);
    await bench.subscribe(1000);
    await bench.clock.advance(5000);
    assert.ok(bench.clock.pending > 0);
    bench.hub.close();
    assert.equal(bench.clock.pending, 0);
  });
});
