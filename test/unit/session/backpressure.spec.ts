import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import type { SessionOptions } from '../../../src/session/base/session-options';
import {
  CONNECT,
  endQuietly,
  openServer,
  rejectionCode,
  startServer,
  type Rig,
} from '../support/session-pair';

const { OK, RUN, DESCRIBE, START_STREAM, STREAM_DATA, KEEP_ALIVE } = MessageType;

/** A session whose peer has a small window: past 100 bytes that wait, the transport is full. */
function narrow(options: Partial<SessionOptions> = {}): Promise<Rig> {
  return openServer({ options, memory: { windowBytes: 64, highWaterMark: 100 } });
}

/** Opens event streams of the peer on a resource, one for each id, and gives what publishes into them. */
async function withStreams(rig: Rig, ...ids: number[]): Promise<(value: unknown) => void> {
  const resource = rig.host.host('r', { kind: 'input', run: () => undefined });
  for (const streamId of ids) rig.peer.send({ type: START_STREAM, streamId, resource: 'r' });
  await rig.clock.settle();
  rig.peer.take();
  return (value) => resource.publish(value);
}

/** Payloads of the samples that arrived, by stream. */
function samples({ peer }: Rig, id: number): unknown[] {
  const ofStream = peer.messages.filter(({ type, streamId }) => type === STREAM_DATA && streamId === id);
  return ofStream.map(({ payload }) => payload);
}

const filler = 'x'.repeat(200);

describe('A peer that does not read', () => {
  it('lets samples wait in a bounded queue, where the oldest gives way', async () => {
    const rig = await narrow({ maxQueuedSamples: 4 });
    const publish = await withStreams(rig, 1);
    rig.peer.pause();
    publish(filler);
    assert.equal(rig.session.outbox.congested, true);
    for (let index = 0; index < 10; index++) publish(index);
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(samples(rig, 1), [filler, 6, 7, 8, 9]);
    assert.equal(rig.session.outbox.congested, false);
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });

  it('lets what is written into a stream wait, and counts what gave way', async () => {
    const rig = await narrow({ maxQueuedSamples: 2 });
    const opening = rig.session.openStream('theirs', { onData: () => undefined });
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.pause();
    assert.equal(stream.write(filler), true);
    for (let index = 0; index < 5; index++) assert.equal(stream.write(index), false);
    assert.equal(stream.dropped, 3);
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(samples(rig, 1), [filler, 3, 4]);
    await endQuietly(rig);
  });

  it('makes a publisher hear of the message that is not taken, and gets all that were', async () => {
    // In steps that are wider than elsewhere: four MiB are to pass.
    const memory = { windowBytes: 16_384, highWaterMark: 100 };
    const rig = await openServer({ options: { maxBufferedBytes: 2 ** 20 }, memory });
    const opening = rig.session.openStream(8, { onData: () => undefined }, { parameters: { event: 'e' } });
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.pause();
    const padding = 'x'.repeat(100_000);
    let taken = 0;
    assert.throws(
      () => {
        for (; taken < 100; taken++) stream.write({ taken, padding });
      },
      { code: 'IOTMP_ERR_BUSY' },
    );
    assert.ok(taken > 40, `${taken} were taken`);
    assert.deepEqual([stream.dropped, stream.closed], [0, false]);
    for (let turn = 0; samples(rig, 1).length < taken && turn < 100_000; turn++) {
      rig.peer.resume();
      await rig.clock.settle();
    }
    assert.deepEqual(
      samples(rig, 1).map((one) => (one as { taken: number }).taken),
      Array.from({ length: taken }, (_, n) => n),
    );
    stream.write('again');
    await endQuietly(rig);
  });

  it('gets the waiting samples of all streams in turn', async () => {
    const rig = await narrow();
    const publish = await withStreams(rig, 1, 2, 3);
    rig.peer.pause();
    publish(filler);
    for (let index = 0; index < 20; index++) publish(index);
    rig.peer.resume();
    await rig.clock.settle();
    const order = rig.peer.messages.slice(3).map(({ streamId, payload }) => [streamId, payload]);
    const expected = Array.from({ length: 60 }, (_, index) => [(index % 3) + 1, Math.floor(index / 3)]);
    assert.deepEqual(new Set(order.map(String)), new Set(expected.map(String)));
    for (const id of [1, 2, 3]) {
      const own = order.filter(([streamId]) => streamId === id).map(([, payload]) => payload);
      assert.deepEqual(
        own,
        Array.from({ length: 20 }, (_, index) => index),
      );
    }
    const firstRounds = order.slice(0, 6).map(([streamId]) => streamId);
    assert.equal(new Set(firstRounds).size, 3, 'a stream had to wait for the others');
    await endQuietly(rig);
  });

  it('is given no more than it takes when it reads again', async () => {
    const rig = await narrow();
    const publish = await withStreams(rig, 1, 2);
    rig.peer.pause();
    for (let index = 0; index < 50; index++) publish(index);
    let most = 0;
    for (let turn = 0; turn < 100; turn++) {
      rig.peer.resume();
      await Promise.resolve();
      rig.peer.pause();
      most = Math.max(most, rig.session.transport.bufferedBytes);
      await rig.clock.settle();
    }
    assert.ok(most > 0 && most <= 120, `${most} bytes were buffered`);
    rig.peer.resume();
    await rig.clock.settle();
    assert.equal(samples(rig, 1).length, 50);
    await endQuietly(rig);
  });

  it('keeps the samples of all its streams together within a limit', async () => {
    const rig = await narrow({ maxBufferedBytes: 1000, maxQueuedSamples: 1000 });
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    const publish = await withStreams(rig, ...ids);
    rig.peer.pause();
    for (let index = 0; index < 100; index++) publish(`${index}${filler}`);
    rig.peer.resume();
    await rig.clock.settle();
    const total = ids.flatMap((id) => samples(rig, id)).length;
    assert.ok(total >= 15 && total <= 30, `${total} samples of 200 bytes were kept`);
    publish('flows again');
    await rig.clock.settle();
    for (const id of ids) assert.equal(samples(rig, id).at(-1), 'flows again');
    await endQuietly(rig);
  });

  it('may fall behind again and again within that limit', async () => {
    const rig = await narrow({ maxBufferedBytes: 1000, maxQueuedSamples: 1000 });
    const publish = await withStreams(rig, 1, 2);
    for (let round = 0; round < 10; round++) {
      rig.peer.pause();
      for (let index = 0; index < 8; index++) publish(`${index}${filler}`);
      // What waits of a stream that is started anew is dropped, and no longer counts.
      if (round < 5) rig.peer.send({ type: START_STREAM, streamId: 2, resource: 'r' });
      await rig.clock.settle();
      rig.peer.resume();
      await rig.clock.settle();
      assert.equal(samples(rig, 1).length, 8, `round ${round}`);
      assert.equal(samples(rig, 2).length, round < 5 ? 0 : 8);
      rig.peer.take();
    }
    await endQuietly(rig);
  });

  it('gets nothing more into a stream that it ended itself meanwhile', async () => {
    const rig = await narrow();
    const opening = rig.session.openStream('theirs', { onData: () => undefined });
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.pause();
    stream.write(filler);
    stream.write('waits');
    rig.peer.send({ type: MessageType.STOP_STREAM, streamId: 1 });
    await rig.clock.settle();
    assert.equal(stream.closed, true);
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(samples(rig, 1), [filler]);
    await endQuietly(rig);
  });

  it('gets nothing more of a stream that ended while its samples waited', async () => {
    const rig = await narrow();
    const publish = await withStreams(rig, 1, 2);
    rig.peer.pause();
    publish(filler);
    publish('waits');
    rig.peer.send({ type: MessageType.STOP_STREAM, streamId: 1 });
    await rig.clock.settle();
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(samples(rig, 1), [filler]);
    assert.deepEqual(samples(rig, 2), [filler, 'waits']);
    await endQuietly(rig);
  });

  it('is asked nothing more once much waits for it, but a stream can be stopped', async () => {
    const rig = await narrow({ maxBufferedBytes: 300 });
    const opening = rig.session.openStream('theirs', { onData: () => undefined });
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.pause();
    const pending = [1, 2, 3].map(() => rejectionCode(rig.session.call('r', { payload: filler })));
    assert.equal(await rejectionCode(rig.session.call('r')), 'IOTMP_ERR_BUSY');
    const other = rig.session.openStream('s', { onData: () => undefined });
    assert.equal(await rejectionCode(other), 'IOTMP_ERR_BUSY');
    const stopping = stream.stop();
    rig.peer.resume();
    await rig.clock.settle();
    assert.equal(rig.peer.messages.at(-1)?.type, MessageType.STOP_STREAM);
    const reply = rig.session.call('r');
    await rig.clock.settle();
    rig.peer.send({ type: OK, streamId: rig.peer.messages.at(-1)?.streamId, payload: 'well' });
    assert.equal((await reply).payload, 'well');
    await endQuietly(rig);
    await Promise.all([stopping, ...pending]);
  });

  it('is given up when it takes nothing for the drain timeout', async () => {
    const rig = await narrow({ drainTimeoutMs: 5000 });
    const publish = await withStreams(rig, 1);
    const call = rejectionCode(rig.session.call('r'));
    rig.peer.pause();
    publish(filler);
    await rig.clock.advance(4999);
    assert.equal(rig.session.state, 'open');
    await rig.clock.advance(1);
    assert.equal(rig.session.state, 'closed');
    assert.equal(rig.closes[0]?.code, 'IOTMP_ERR_BUSY');
    assert.equal(await call, 'IOTMP_ERR_BUSY');
    await rig.clock.settle();
    assert.equal(rig.clock.pending, 0);
  });

  it('has the whole drain timeout again once it has read', async () => {
    const rig = await narrow({ drainTimeoutMs: 5000 });
    const publish = await withStreams(rig, 1);
    for (let round = 0; round < 5; round++) {
      rig.peer.pause();
      publish(filler);
      await rig.clock.advance(4000);
      rig.peer.resume();
      await rig.clock.advance(0);
    }
    assert.equal(rig.session.state, 'open');
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });

  it('does not keep other sessions waiting', async () => {
    const slow = await narrow({ maxQueuedSamples: 4 });
    const quick = await openServer({ clock: slow.clock });
    const resource = quick.host.host('r', { kind: 'input', run: () => undefined });
    slow.session.host.resolve = () => quick.host.resolve('r', undefined);
    for (const { peer } of [slow, quick]) peer.send({ type: START_STREAM, streamId: 1, resource: 'r' });
    await slow.clock.settle();
    slow.peer.pause();
    const values = Array.from({ length: 100 }, (_, index) => index);
    for (const value of values) resource.publish(value);
    await slow.clock.settle();
    assert.deepEqual(samples(quick, 1), values);
    await slow.clock.advance(30_000);
    assert.equal(slow.session.state, 'closed');
    assert.equal(quick.session.state, 'open');
    assert.equal(resource.streamCount, 1);
    await endQuietly(quick);
  });
});

describe('A peer that asks and does not read', () => {
  it('is not read from while four times the limit waits for it', async () => {
    const rig = await narrow({ maxBufferedBytes: 1000 });
    let runs = 0;
    rig.host.host('big', { kind: 'output', run: () => `${++runs}${filler}` });
    rig.peer.pause();
    const ask = { type: RUN, streamId: 5, resource: 'big' };
    rig.peer.send(...Array.from({ length: 500 }, () => ask));
    for (let index = 0; index < 500; index++) rig.peer.send(ask);
    await rig.clock.settle();
    assert.ok(runs >= 20 && runs < 30, `${runs} answers were made`);
    assert.ok(rig.session.transport.bufferedBytes < 5000);
    rig.peer.resume();
    for (let turn = 0; turn < 100; turn++) await rig.clock.settle();
    assert.equal(runs, 1000);
    assert.equal(rig.peer.messages.length, 1000);
    await endQuietly(rig);
  });

  it('cannot grow memory by many small questions with large answers in one chunk', async () => {
    const rig = await narrow({ maxBufferedBytes: 1000 });
    for (let index = 0; index < 100; index++) rig.host.host(`r${index}`, { kind: 'output', run: () => 1 });
    rig.peer.pause();
    rig.peer.send(...Array.from({ length: 5000 }, () => ({ type: DESCRIBE, streamId: 5 })));
    await rig.clock.settle();
    assert.ok(rig.session.transport.bufferedBytes < 8000, `${rig.session.transport.bufferedBytes}`);
    await rig.clock.advance(30_000);
    assert.equal(rig.session.state, 'closed');
    assert.equal(rig.clock.pending, 0);
  });

  it('gets its keep-alives echoed when it reads again, in order', async () => {
    const rig = await narrow({ maxBufferedBytes: 100 });
    rig.host.host('big', { kind: 'output', run: () => filler });
    rig.peer.pause();
    for (let streamId = 1; streamId <= 10; streamId++) {
      rig.peer.send({ type: RUN, streamId, resource: 'big' }, { type: KEEP_ALIVE });
    }
    await rig.clock.settle();
    assert.ok(rig.session.transport.bufferedBytes < 1000);
    rig.peer.resume();
    for (let turn = 0; turn < 20; turn++) await rig.clock.settle();
    const types = rig.peer.messages.map(({ type }) => type);
    assert.deepEqual(types, Array.from({ length: 10 }, () => [OK, KEEP_ALIVE]).flat());
    await endQuietly(rig);
  });

  it('can be told goodbye', async () => {
    const rig = await narrow({ maxBufferedBytes: 100 });
    rig.host.host('big', { kind: 'output', run: () => filler });
    rig.peer.pause();
    for (let streamId = 1; streamId <= 10; streamId++)
      rig.peer.send({ type: RUN, streamId, resource: 'big' });
    await rig.clock.settle();
    rig.session.close();
    await rig.clock.advance(2000);
    assert.equal(rig.closes.length, 1);
    assert.equal(rig.clock.pending, 0);
  });
});

describe('Messages in a chunk with CONNECT', () => {
  it('wait for a slow verdict, and are bounded by it', async () => {
    let letIn: () => void = () => undefined;
    const onConnect = (): Promise<void> => new Promise((resolve) => (letIn = resolve));
    const rig = startServer({ hooks: { onConnect } });
    const seen: unknown[] = [];
    rig.host.host('in', { kind: 'input', run: ({ payload }) => seen.push(payload) });
    rig.peer.send(CONNECT, { type: RUN, resource: 'in', payload: 1 });
    rig.peer.send({ type: RUN, resource: 'in', payload: 2 });
    await rig.clock.settle();
    assert.deepEqual(seen, []);
    assert.equal(rig.session.messagesIn, 1);
    letIn();
    await rig.clock.settle();
    await rig.clock.settle();
    assert.deepEqual(seen, [1, 2]);
    await endQuietly(rig);
  });
});
