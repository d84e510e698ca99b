import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { endQuietly, openServer, rejectionCode } from '../support/session-pair';
import { Listener, opened, opening, stop } from './own-stream';

const { OK, ERROR, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

describe('Opening a stream', () => {
  it('sends the resource and its parameters, and waits for the OK', async () => {
    const rig = await opening({ parameters: { interval: 5000 } });
    assert.deepEqual(rig.peer.take(), [
      { type: START_STREAM, streamId: 1, parameters: { interval: 5000 }, resource: 'r' },
    ]);
    rig.peer.send({ type: OK, streamId: 1, payload: 'current' });
    const stream = await rig.opening;
    assert.equal(stream.initial, 'current');
    assert.equal(stream.resource, 'r');
    assert.equal(stream.closed, false);
    assert.equal(rig.session.streamCount, 1);
    await endQuietly(rig);
  });

  it('gives samples as they come, also before the promise settles', async () => {
    const rig = await opening();
    rig.peer.send(
      { type: STREAM_DATA, streamId: 1, payload: 'before the OK' },
      { type: OK, streamId: 1 },
      { type: STREAM_DATA, streamId: 1, payload: 21.5 },
      { type: STREAM_DATA, streamId: 1, payload: 22, parameters: 2 },
      { type: STREAM_DATA, streamId: 1 },
    );
    await rig.opening;
    assert.deepEqual(rig.listener.data, ['before the OK', 21.5, [22, 2], undefined]);
    await endQuietly(rig);
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_OFFLINE']);
  });

  it('rejects when it is refused, and tells the listener nothing', async () => {
    const rig = await opening();
    rig.peer.send({ type: ERROR, streamId: 1, payload: { message: 'Connection refused' } });
    await assert.rejects(rig.opening, { code: 'IOTMP_ERR_REMOTE', message: 'Connection refused' });
    rig.peer.take();
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    assert.deepEqual(rig.listener.ends, []);
    assert.equal(rig.session.streamCount, 0);
    await endQuietly(rig);
  });

  it('sends a STOP_STREAM when it times out: the peer may have opened it', async () => {
    const rig = await opening({ timeoutMs: 2000 });
    rig.peer.take();
    await rig.clock.advance(2000);
    assert.equal(await rejectionCode(rig.opening), 'IOTMP_ERR_TIMEOUT');
    assert.deepEqual(rig.peer.take(), [stop]);
    rig.peer.send(
      { type: OK, streamId: 1 },
      { type: STREAM_DATA, streamId: 1, payload: 1 },
      { type: OK, streamId: 1 },
    );
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    assert.deepEqual(rig.listener, new Listener());
    await endQuietly(rig);
  });

  it('sends a STOP_STREAM when it is given up after it was sent, and nothing before', async () => {
    const caller = new AbortController();
    const rig = await opening({ signal: caller.signal });
    rig.peer.take();
    caller.abort();
    assert.equal(await rejectionCode(rig.opening), 'IOTMP_ERR_ABORTED');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [stop]);
    const again = rig.session.openStream('r', rig.listener, { signal: caller.signal });
    assert.equal(await rejectionCode(again), 'IOTMP_ERR_ABORTED');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('rejects when the peer stops it at once', async () => {
    for (const answer of [[], [{ type: OK, streamId: 1 }]]) {
      const rig = await opening();
      rig.peer.take();
      rig.peer.send(...answer, { type: STOP_STREAM, streamId: 1 });
      assert.equal(await rejectionCode(rig.opening), 'IOTMP_ERR_CLOSED');
      await rig.clock.settle();
      assert.deepEqual(rig.peer.take(), []);
      assert.deepEqual(rig.listener.ends, []);
      assert.equal(rig.session.streamCount, 0);
      assert.equal(rig.session.requestCount, 0);
      await endQuietly(rig);
    }
  });

  it('rejects when the session ends, and tells the listener nothing', async () => {
    const rig = await opening();
    rig.peer.hangUp();
    assert.equal(await rejectionCode(rig.opening), 'IOTMP_ERR_CLOSED');
    assert.deepEqual(rig.listener.ends, []);
    const other = await opening();
    other.peer.send({ type: OK, streamId: 1 }, { type: MessageType.DISCONNECT });
    assert.equal(await rejectionCode(other.opening), 'IOTMP_ERR_OFFLINE');
    assert.deepEqual(other.listener.ends, []);
    await other.clock.settle();
    assert.equal(other.clock.pending, 0);
  });

  it('is refused here when it cannot be sent or when there are too many', async () => {
    const rig = await opened(undefined, { options: { maxStreams: 1 } });
    const busy = rig.session.openStream('s', rig.listener);
    assert.equal(await rejectionCode(busy), 'IOTMP_ERR_BUSY');
    await endQuietly(rig);
    const other = await openServer();
    const parameters = { f: () => 1 };
    const bad = other.session.openStream('s', { onData: () => undefined }, { parameters });
    assert.equal(await rejectionCode(bad), 'IOTMP_ERR_ENCODE');
    assert.equal(other.session.streamCount, 0);
    await endQuietly(other);
  });

  it('uses no id that the peer uses for a stream of its own', async () => {
    const rig = await openServer();
    rig.host.host('out', { kind: 'output', run: () => 1 });
    rig.peer.send({ type: START_STREAM, streamId: 1, resource: 'out' });
    await rig.clock.settle();
    rig.peer.take();
    const promise = rejectionCode(rig.session.openStream('r', { onData: () => undefined }));
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: START_STREAM, streamId: 2, resource: 'r' }]);
    await endQuietly(rig);
    assert.equal(await promise, 'IOTMP_ERR_CLOSED');
  });
});
