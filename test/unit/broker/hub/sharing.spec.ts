import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { StreamHub, type HubState } from '../../../../src/broker/hub/stream-hub';
import { FakeClock } from '../../support/fake-clock';
import { FakeSource } from './fake-source';
import { DEVICE, HubBench, RESOURCE, TestSubscriber } from './fixtures';

describe('subscribers of one resource', () => {
  it('share one periodic stream, asked for with a map', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const [a, b] = [await bench.subscribe(1000), await bench.subscribe(1000)];
    assert.deepEqual(source.started, [['periodic', { interval: 1000 }]]);
    assert.deepEqual(source.resources, [RESOURCE]);
    source.sample(7);
    assert.deepEqual([a.samples, b.samples], [[7], [7]]);
    assert.equal(bench.hub.size, 1);
    bench.hub.close();
  });

  it('share one event stream, asked for without parameters', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const [a, b] = [await bench.subscribe(0), await bench.subscribe(0)];
    assert.deepEqual(source.started, [['event', undefined]]);
    source.sample('on', 'event');
    source.sample('off', 'event');
    assert.deepEqual(
      [a.samples, b.samples],
      [
        ['on', 'off'],
        ['on', 'off'],
      ],
    );
    bench.hub.close();
  });

  it('have at most two streams on the device', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    for (const interval of [0, 1000, 0, 500, 2000]) await bench.subscribe(interval);
    assert.deepEqual(source.openKinds.sort(), ['event', 'periodic']);
    assert.equal(bench.hub.size, 2);
    bench.hub.close();
  });

  it('do not share streams with those of other resources and devices', async () => {
    const bench = new HubBench();
    const [source, other] = [await bench.connect(), new FakeSource()];
    bench.hub.deviceConnected({ user: 'anna', device: 'fan' }, other);
    const subscriber = { intervalMs: 0, onSample: () => undefined };
    bench.hub.subscribe(DEVICE, RESOURCE, subscriber);
    bench.hub.subscribe(DEVICE, 'speed', subscriber);
    bench.hub.subscribe({ user: 'anna', device: 'fan' }, RESOURCE, subscriber);
    bench.hub.subscribe({ user: 'bert', device: 'pump' }, RESOURCE, subscriber);
    await bench.clock.settle();
    assert.deepEqual(source.resources, [RESOURCE, 'speed']);
    assert.deepEqual(other.resources, [RESOURCE]);
    assert.equal(bench.hub.size, 4);
    bench.hub.close();
  });

  it('do not share a session, which is free again when its subscriber has left', async () => {
    const bench = new HubBench();
    await bench.connect();
    const subscriber = { intervalMs: 0, onSample: () => undefined };
    const first = bench.hub.subscribe(DEVICE, '$terminal/1', subscriber);
    bench.hub.subscribe(DEVICE, '$terminal/2', subscriber);
    for (const intervalMs of [0, 1000]) {
      assert.throws(() => bench.hub.subscribe(DEVICE, '$terminal/1', { ...subscriber, intervalMs }), {
        code: 'IOTMP_ERR_CONFLICT',
        message: 'the session $terminal/1 is in use',
      });
    }
    first.close();
    bench.hub.subscribe(DEVICE, '$terminal/1', subscriber);
    await bench.clock.settle();
    bench.hub.close();
  });

  it('each get samples at their own pace', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const [half, whole, three] = [
      await bench.subscribe(500),
      await bench.subscribe(1000),
      await bench.subscribe(1500),
    ];
    source.sample(0);
    await bench.run(source, 12, 500);
    assert.deepEqual(half.samples, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.deepEqual(whole.samples, [0, 2, 4, 6, 8, 10, 12]);
    assert.deepEqual(three.samples, [0, 3, 6, 9, 12]);
    bench.hub.close();
  });

  it('that come late get the last sample at once, and the next one in step', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(500);
    source.sample('first');
    await bench.clock.advance(400);
    const late = await bench.subscribe(1000);
    assert.deepEqual(late.samples, ['first']);
    await bench.clock.advance(100);
    source.sample('second');
    await bench.clock.advance(500);
    source.sample('third');
    assert.deepEqual(late.samples, ['first', 'third']);
    bench.hub.close();
  });

  it('that come late get nothing before subscribe has returned, and nothing twice', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(0);
    source.sample('old', 'event');
    const samples: unknown[] = [];
    bench.hub.subscribe(DEVICE, RESOURCE, { intervalMs: 0, onSample: (sample) => samples.push(sample) });
    assert.deepEqual(samples, []);
    source.sample('new', 'event');
    await bench.clock.settle();
    assert.deepEqual(samples, ['new']);
    bench.hub.close();
  });

  it('that leave at once after coming late get nothing', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(0);
    source.sample('old', 'event');
    const late = new TestSubscriber(bench, 0);
    late.close();
    await bench.clock.settle();
    assert.deepEqual(late.samples, []);
    bench.hub.close();
  });

  it('that come late get nothing when the device goes in the same tick', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    await bench.subscribe(0);
    source.sample('old', 'event');
    const late = new TestSubscriber(bench, 0);
    await bench.lose(source);
    assert.deepEqual([late.samples, late.states], [[], ['offline']]);
    bench.hub.close();
  });

  it('keep their pace when the interval of the stream changes', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const subscriber = await bench.subscribe(1000);
    await bench.run(source, 2, 1000);
    await bench.subscribe(500);
    await bench.run(source, 6, 500);
    assert.deepEqual(subscriber.samples, [1, 2, 2, 4, 6]);
    bench.hub.close();
  });

  it('get the payload of the OK as a first sample, unless one came before', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    source.initial = 'current';
    await bench.connect(source);
    const subscriber = await bench.subscribe(0);
    assert.deepEqual(subscriber.samples, ['current']);
    source.answer = 'hold';
    const periodic = await bench.subscribe(1000);
    source.sample('newer');
    source.answerHeld();
    await bench.clock.settle();
    assert.deepEqual(periodic.samples, ['newer']);
    bench.hub.close();
  });

  it('that throw do not hurt the others, and are reported', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    const fail = (): void => {
      throw new Error('broken');
    };
    bench.hub.subscribe(DEVICE, RESOURCE, { intervalMs: 1000, onSample: fail, onState: fail });
    const healthy = await bench.subscribe(1000);
    source.sample(1);
    source.sample(2);
    assert.deepEqual(healthy.samples, [1, 2]);
    assert.deepEqual(healthy.states, ['streaming']);
    assert.deepEqual(bench.warnings, [
      'anna/pump/level: onState of a subscriber failed: broken',
      'anna/pump/level: onSample of a subscriber failed: broken',
    ]);
    bench.hub.close();
  });

  it('that another one ends in the middle of a sample do not get it', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    bench.hub.subscribe(DEVICE, RESOURCE, { intervalMs: 0, onSample: () => second.close() });
    const second = await bench.subscribe(0);
    source.sample(1, 'event');
    assert.deepEqual(second.samples, []);
    bench.hub.close();
  });

  it('hear the newest state last, even when one of them changes it', async () => {
    const bench = new HubBench();
    const source = new FakeSource();
    const onState = ({ kind }: HubState): void => {
      if (kind === 'streaming') bench.hub.deviceDisconnected(DEVICE, source);
    };
    bench.hub.subscribe(DEVICE, RESOURCE, { intervalMs: 0, onSample: () => undefined, onState });
    const second = await bench.subscribe(0);
    await bench.connect(source);
    assert.deepEqual([second.states, second.state], [['starting', 'offline'], 'offline']);
    bench.hub.close();
  });

  it('may leave, and come back, in the middle of a sample', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    let rounds = 0;
    const subscribe = (): void => {
      const subscription = bench.hub.subscribe(DEVICE, RESOURCE, {
        intervalMs: 0,
        onSample: () => {
          rounds++;
          subscription.close();
          if (rounds < 3) subscribe();
        },
      });
    };
    const stays = await bench.subscribe(0);
    subscribe();
    await bench.clock.settle();
    source.sample(1, 'event');
    assert.equal(rounds, 1);
    await bench.clock.settle();
    assert.equal(rounds, 3); // the last sample was for the late ones
    assert.deepEqual(stays.samples, [1]);
    bench.hub.close();
  });

  it('are a thousand without trouble', async () => {
    const bench = new HubBench();
    const source = await bench.connect();
    let received = 0;
    const subscriber = { intervalMs: 1000, onSample: () => received++ };
    for (let i = 0; i < 1000; i++) bench.hub.subscribe(DEVICE, RESOURCE, subscriber);
    await bench.clock.settle();
    source.sample(1);
    assert.equal(received, 1000);
    assert.equal(source.starts.length, 1);
    bench.hub.close();
  });

  it('are refused with an unusable interval, and by a closed hub', () => {
    const hub = new StreamHub({ clock: new FakeClock() });
    const onSample = (): void => undefined;
    assert.throws(() => hub.subscribe(DEVICE, RESOURCE, { intervalMs: -5, onSample }), {
      code: 'IOTMP_ERR_CONFIG',
    });
    assert.equal(hub.size, 0);
    hub.close();
    assert.throws(() => hub.subscribe(DEVICE, RESOURCE, { intervalMs: 0, onSample }), {
      code: 'IOTMP_ERR_CLOSED',
    });
  });
});
