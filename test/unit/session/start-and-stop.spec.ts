import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { endQuietly } from '../support/session-pair';
import { counter, ok, refused, rigWith, sample, start, stop } from './peer-stream';

const { OK, STOP_STREAM } = MessageType;

describe('A START_STREAM', () => {
  it('is refused where there is nothing, or nothing that streams', async () => {
    const rig = await rigWith({ kind: 'run', run: () => assert.fail('it ran') });
    rig.host.host('still', { kind: 'output', streamable: false, run: () => assert.fail('it ran') });
    assert.deepEqual(await start(rig), [refused(405, 'the resource has no streams')]);
    assert.deepEqual(await start(rig, { resource: 'still' }), [refused(405, 'the resource has no streams')]);
    assert.deepEqual(await start(rig, { resource: 'x' }), [refused(404, 'no such resource')]);
    assert.deepEqual(await start(rig, { resource: undefined }), [refused(404, 'no such resource')]);
    assert.equal(rig.session.streamCount, 0);
    await endQuietly(rig);
  });

  it('replaces the stream of the same id', async () => {
    const rig = await rigWith(counter());
    await start(rig, { parameters: 100 });
    await rig.clock.advance(50);
    assert.deepEqual(await start(rig, { parameters: { interval: 1000 } }), [ok, sample(2)]);
    await rig.clock.advance(999);
    assert.deepEqual(rig.peer.take(), []);
    await rig.clock.advance(1);
    assert.deepEqual(rig.peer.take(), [sample(3)]);
    assert.equal(rig.session.streamCount, 1);
    assert.equal(rig.resource.streamCount, 1);
    await endQuietly(rig);
  });

  it('that is refused leaves the stream of the same id as it is', async () => {
    const rig = await rigWith(counter());
    await start(rig, { parameters: 100 });
    assert.deepEqual(await start(rig, { resource: 'x' }), [refused(404, 'no such resource')]);
    await rig.clock.advance(100);
    assert.deepEqual(rig.peer.take(), [sample(2)]);
    await endQuietly(rig);
  });

  it('may replace a stream when there are as many as there may be', async () => {
    const rig = await rigWith(counter(), { maxStreams: 1 });
    await start(rig);
    assert.deepEqual(await start(rig, { streamId: 162 }), [
      { ...refused(503, 'too many streams are open'), streamId: 162 },
    ]);
    assert.deepEqual(await start(rig), [ok, sample(2)]);
    await endQuietly(rig);
  });

  it('under an id that this end uses is refused', async () => {
    const rig = await rigWith(counter());
    const opening = rig.session.openStream('theirs', { onData: () => undefined });
    await rig.clock.settle();
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.take();
    assert.deepEqual(await start(rig, { streamId: stream.id }), [
      { ...refused(409, 'stream id 1 is in use by the other side'), streamId: 1 },
    ]);
    assert.equal(stream.closed, false);
    await endQuietly(rig);
  });

  it('without a stream id cannot be served', async () => {
    const rig = await rigWith(counter());
    assert.deepEqual(await start(rig, { streamId: 0 }), []);
    assert.deepEqual(await start(rig, { streamId: undefined }), []);
    assert.equal(rig.session.streamCount, 0);
    assert.equal(rig.warnings.length, 2);
    await endQuietly(rig);
  });
});

describe('The end of a stream', () => {
  it('is a STOP_STREAM of the peer, answered with OK', async () => {
    const rig = await rigWith(counter());
    await start(rig, { parameters: 100 });
    rig.peer.send({ type: STOP_STREAM, streamId: 161 });
    await rig.clock.advance(1000);
    assert.deepEqual(rig.peer.take(), [ok]);
    assert.equal(rig.session.streamCount, 0);
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });

  it('of an unknown id is answered with ERROR', async () => {
    const rig = await rigWith(counter());
    rig.peer.send(
      { type: STOP_STREAM, streamId: 161 },
      { type: STOP_STREAM },
      { type: STOP_STREAM, streamId: 0 },
    );
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [refused(404, 'no such stream')]);
    await endQuietly(rig);
  });

  it('is a STOP_STREAM to the peer where the resource goes', async () => {
    const rig = await rigWith(counter());
    await start(rig, { parameters: 100 });
    rig.resource.remove();
    rig.resource.remove();
    await rig.clock.advance(1000);
    assert.deepEqual(rig.peer.take(), [stop]);
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });
});
