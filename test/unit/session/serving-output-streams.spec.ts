import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { Answer } from '../../../src/session/hosting/resource';
import { streamInterval } from '../../../src/session/streams/stream-interval';
import { endQuietly, openServer } from '../support/session-pair';
import { counter, data, ok, rigWith, sample, start } from './peer-stream';

const { OK, START_STREAM, STREAM_DATA } = MessageType;

describe('streamInterval', () => {
  it('reads the map and the bare number, in ms', () => {
    assert.equal(streamInterval({ interval: 5000 }), 5000);
    assert.equal(streamInterval(5000), 5000);
    assert.equal(streamInterval({ interval: 1000.4 }), 1000);
    assert.equal(streamInterval(Infinity), 86_400_000);
  });

  it('takes anything else for an event stream', () => {
    for (const other of [undefined, null, 0, -5, '5', true, [5], 5n, Number.NaN, 0.2]) {
      assert.equal(streamInterval(other), 0);
      assert.equal(streamInterval({ interval: other ?? null }), 0);
    }
    assert.equal(streamInterval({ Interval: 5 }), 0);
    assert.equal(streamInterval({}), 0);
  });
});

describe('A stream on an output', () => {
  it('gives one sample right after the OK, then nothing unasked', async () => {
    const rig = await rigWith(counter());
    assert.deepEqual(await start(rig), [ok, sample(1)]);
    await rig.clock.advance(3_600_000);
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('gives samples at its interval, asked for by map or bare number', async () => {
    for (const parameters of [{ interval: 500 }, 500]) {
      const rig = await rigWith(counter());
      assert.deepEqual(await start(rig, { parameters }), [ok, sample(1)]);
      await rig.clock.advance(499);
      assert.deepEqual(rig.peer.take(), []);
      await rig.clock.advance(1);
      assert.deepEqual(rig.peer.take(), [sample(2)]);
      await rig.clock.advance(1500);
      assert.deepEqual(rig.peer.take(), [sample(3), sample(4), sample(5)]);
      await endQuietly(rig);
    }
  });

  it('does not flood, however short the interval', async () => {
    const rig = await rigWith(counter());
    await start(rig, { parameters: { interval: 1 } });
    await rig.clock.advance(100);
    assert.equal(rig.peer.take().length, 10);
    await endQuietly(rig);
  });

  it('leaves out a sample while the one before it is still being made', async () => {
    const finish: ((value: unknown) => void)[] = [];
    const rig = await rigWith({ kind: 'output', run: () => new Promise((resolve) => finish.push(resolve)) });
    assert.deepEqual(await start(rig, { parameters: 100 }), [ok]);
    await rig.clock.advance(350);
    assert.equal(finish.length, 1);
    finish[0]?.('first');
    await rig.clock.advance(50);
    assert.deepEqual(rig.peer.take(), [sample('first')]);
    assert.equal(finish.length, 2);
    await endQuietly(rig);
  });

  it('goes on after a sample that fails or hangs, with a warning', async () => {
    let reads = 0;
    const rig = await rigWith({
      kind: 'output',
      timeoutMs: 150,
      run() {
        reads++;
        if (reads === 2) throw new Error('boom');
        if (reads === 3) return Promise.reject(new Error('later boom'));
        if (reads === 4) return () => 'not a value';
        if (reads === 5) return new Answer({ error: 'no sensor' }, 500);
        if (reads === 6) return new Promise(() => undefined);
        return new Answer(reads);
      },
    });
    assert.deepEqual(await start(rig, { parameters: 100 }), [ok, sample(1)]);
    await rig.clock.advance(500);
    assert.deepEqual(rig.peer.take(), []);
    assert.equal(rig.warnings.length, 4);
    assert.match(rig.warnings[0] ?? '', /stream of r: boom/);
    await rig.clock.advance(200);
    assert.deepEqual(rig.peer.take(), [sample(7)]);
    assert.match(rig.warnings[4] ?? '', /no answer in time/);
    await endQuietly(rig);
  });

  it('takes data of the peer for the wish for a sample', async () => {
    const rig = await rigWith(counter());
    await start(rig);
    assert.deepEqual(await data(rig, { ignored: 1 }), [sample(2)]);
    await endQuietly(rig);
  });

  it('without interval carries each value that is published', async () => {
    const rig = await rigWith(counter());
    rig.resource.publish('before');
    await start(rig);
    rig.resource.publish({ t: 21.5 });
    rig.resource.publish(null);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [sample({ t: 21.5 }), sample(null)]);
    assert.equal(rig.resource.streamCount, 1);
    await endQuietly(rig);
    assert.equal(rig.resource.streamCount, 0);
    rig.resource.publish('after');
  });

  it('with an interval keeps to it, whatever is published', async () => {
    const rig = await rigWith(counter());
    await start(rig, { parameters: 1000 });
    rig.resource.publish('event');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('of a pattern carries what is published for its path', async () => {
    const rig = await openServer();
    const gpio = rig.host.host('gpio/:pin', { kind: 'output', run: ({ captures }) => captures });
    rig.peer.send({ type: START_STREAM, streamId: 1, resource: 'gpio/4' });
    rig.peer.send({ type: START_STREAM, streamId: 2, resource: 'gpio/5' });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: OK, streamId: 1 },
      { type: STREAM_DATA, streamId: 1, payload: { pin: '4' } },
      { type: OK, streamId: 2 },
      { type: STREAM_DATA, streamId: 2, payload: { pin: '5' } },
    ]);
    gpio.publish('five', 'gpio/5');
    gpio.publish('all');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: STREAM_DATA, streamId: 2, payload: 'five' },
      { type: STREAM_DATA, streamId: 1, payload: 'all' },
      { type: STREAM_DATA, streamId: 2, payload: 'all' },
    ]);
    await endQuietly(rig);
  });
});

describe('publish', () => {
  it('reaches the other peers when one of them cannot take the value', async () => {
    const small = await openServer({ options: { peerMaxBodySize: 50 } });
    const large = await openServer();
    const resource = small.host.host('r', counter());
    const found = small.host.resolve('r', undefined);
    for (const { peer, session } of [small, large]) {
      session.host.resolve = () => found;
      peer.send({ type: START_STREAM, streamId: 161, resource: 'r' });
    }
    await large.clock.settle();
    small.peer.take();
    large.peer.take();
    assert.throws(() => resource.publish('x'.repeat(60)), { code: 'IOTMP_ERR_TOO_LARGE' });
    resource.publish('y');
    await large.clock.settle();
    assert.deepEqual(small.peer.take(), [sample('y')]);
    assert.deepEqual(large.peer.take(), [sample('x'.repeat(60)), sample('y')]);
    await endQuietly(small);
    await endQuietly(large);
  });

  it('encodes the value once, for streams of any id and limit', async () => {
    const rigs = [
      await openServer(),
      await openServer(),
      await openServer({ options: { peerMaxBodySize: 23 } }),
      await openServer({ options: { peerMaxBodySize: 24 } }),
    ];
    const ids = [7, 7, 40_000, 40_000];
    const [first] = rigs;
    const resource = first!.host.host('r', { kind: 'input', run: () => undefined });
    const found = first!.host.resolve('r', undefined);
    for (const [index, { peer, session, clock }] of rigs.entries()) {
      session.host.resolve = () => found;
      peer.send({ type: START_STREAM, streamId: ids[index], resource: 'r' });
      await clock.settle();
      peer.take();
    }
    let encodings = 0;
    const value = { toJSON: () => ({ length: 'x'.repeat(7), n: ++encodings }) };
    assert.throws(() => resource.publish(value), { code: 'IOTMP_ERR_TOO_LARGE' });
    await first!.clock.settle();
    const payload = { length: 'x'.repeat(7), n: 1 };
    const taken = rigs.map(({ peer }) => peer.take());
    const of = (streamId: number): object[] => [{ type: STREAM_DATA, streamId, payload }];
    assert.deepEqual(taken, [of(7), of(7), [], of(40_000)]);
    assert.equal(encodings, 1);
    for (const rig of rigs) await endQuietly(rig);
  });

  it('sends nothing of a value where there is none', async () => {
    const rig = await rigWith({ kind: 'input', run: () => undefined });
    await start(rig);
    rig.resource.publish(undefined);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: STREAM_DATA, streamId: 161 }]);
    await endQuietly(rig);
  });
});
