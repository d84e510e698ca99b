import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IdSequence } from '../../../src/session/requests/id-sequence';
import { endQuietly, openServer, rejectionCode } from '../support/session-pair';
import { Listener, opened, stop } from './own-stream';

const { OK, ERROR, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

describe('An open stream', () => {
  it('carries what is written into it', async () => {
    const rig = await opened();
    assert.equal(rig.stream.write({ on: true }), true);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: STREAM_DATA, streamId: 1, payload: { on: true } }]);
    assert.throws(() => rig.stream.write(() => 1), { code: 'IOTMP_ERR_ENCODE' });
    assert.equal(rig.stream.dropped, 0);
    await endQuietly(rig);
    assert.throws(() => rig.stream.write(1), { code: 'IOTMP_ERR_CLOSED' });
  });

  it('outlives a listener that throws', async () => {
    const rig = await openServer();
    const data: unknown[] = [];
    const promise = rig.session.openStream('r', {
      onData(payload) {
        data.push(payload);
        throw new Error('in onData');
      },
      onClose: () => assert.fail('in onClose'),
    });
    rig.peer.send({ type: OK, streamId: 1 });
    await promise;
    rig.peer.send(
      { type: STREAM_DATA, streamId: 1, payload: 1 },
      { type: STREAM_DATA, streamId: 1, payload: 2 },
    );
    await rig.clock.settle();
    assert.deepEqual(data, [1, 2]);
    assert.equal(rig.warnings.length, 2);
    await endQuietly(rig);
    assert.match(rig.warnings[2] ?? '', /in onClose/);
  });

  it('is ended by the peer, which gets no answer', async () => {
    const rig = await opened();
    rig.peer.send({ type: STOP_STREAM, streamId: 1 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_CLOSED']);
    assert.equal(rig.stream.closed, true);
    assert.equal(rig.session.streamCount, 0);
    await rig.stream.stop();
    assert.equal(await rejectionCode(rig.stream.restart(1)), 'IOTMP_ERR_CLOSED');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_CLOSED']);
    await endQuietly(rig);
  });

  it('tells its listener once when the session ends', async () => {
    const rig = await opened();
    rig.peer.hangUp();
    await rig.clock.settle();
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_OFFLINE']);
    await rig.stream.stop();
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_OFFLINE']);
    assert.equal(rig.clock.pending, 0);
  });
});

describe('Stopping a stream', () => {
  it('sends STOP_STREAM and waits for the answer', async () => {
    const rig = await opened();
    const first = rig.stream.stop();
    const second = rig.stream.stop();
    assert.deepEqual(rig.listener.ends, [undefined]);
    assert.equal(rig.stream.closed, true);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [stop]);
    let done = false;
    void second.then(() => (done = true));
    await rig.clock.settle();
    assert.equal(done, false);
    rig.peer.send({ type: OK, streamId: 1 });
    await Promise.all([first, second]);
    assert.equal(rig.session.streamCount, 0);
    await endQuietly(rig);
    assert.deepEqual(rig.listener.ends, [undefined]);
  });

  it('lets go of samples that were on their way, which are no strays', async () => {
    const rig = await opened();
    const stopping = rig.stream.stop();
    rig.peer.send({ type: STREAM_DATA, streamId: 1, payload: 'late' });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [stop]);
    rig.peer.send({ type: OK, streamId: 1 });
    await stopping;
    assert.deepEqual(rig.listener.data, []);
    assert.deepEqual(rig.warnings, []);
    rig.peer.send({ type: STREAM_DATA, streamId: 1, payload: 'very late' });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [stop]);
    await endQuietly(rig);
  });

  it('is done when the peer refuses, is silent, or stops it, too', async () => {
    for (const answer of [{ type: ERROR, streamId: 1 }, undefined, stop]) {
      const rig = await opened();
      const stopping = rig.stream.stop();
      await rig.clock.settle();
      if (answer === undefined) await rig.clock.advance(10_000);
      else rig.peer.send(answer);
      await stopping;
      assert.equal(rig.session.streamCount, 0);
      assert.deepEqual(rig.listener.ends, [undefined]);
      await endQuietly(rig);
    }
  });

  it('is done when the session ends', async () => {
    const rig = await opened();
    const stopping = rig.stream.stop();
    await endQuietly(rig);
    await stopping;
    assert.deepEqual(rig.warnings, []);
  });

  it('is possible while too many requests wait', async () => {
    const rig = await opened(undefined, { options: { maxPendingRequests: 1 } });
    const waiting = rejectionCode(rig.session.call('r'));
    const stopping = rig.stream.stop();
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take().at(-1), stop);
    rig.peer.send({ type: OK, streamId: 1 });
    await stopping;
    await endQuietly(rig);
    assert.equal(await waiting, 'IOTMP_ERR_CLOSED');
  });

  it('keeps the id until the peer has answered', async () => {
    const rig = await opened();
    const stopping = rig.stream.stop();
    rig.session.ids = new IdSequence();
    const next = rejectionCode(rig.session.call('x'));
    await rig.clock.settle();
    assert.deepEqual(
      rig.peer.messages.map(({ streamId }) => streamId),
      [1, 2],
    );
    await endQuietly(rig);
    await stopping;
    await next;
  });
});

describe('Restarting a stream', () => {
  it('sends START_STREAM again under its id, with other parameters', async () => {
    const rig = await opened({ parameters: { interval: 1000 } });
    const restarting = rig.stream.restart(1000);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: START_STREAM, streamId: 1, parameters: 1000, resource: 'r' }]);
    rig.peer.send({ type: OK, streamId: 1 }, { type: STREAM_DATA, streamId: 1, payload: 5 });
    await restarting;
    assert.deepEqual(rig.listener.data, [5]);
    assert.equal(rig.session.streamCount, 1);
    await endQuietly(rig);
  });

  it('that fails leaves the stream open', async () => {
    const rig = await opened();
    const refused = rejectionCode(rig.stream.restart(1000));
    rig.peer.send({ type: ERROR, streamId: 1 });
    assert.equal(await refused, 'IOTMP_ERR_REMOTE');
    const lost = rejectionCode(rig.stream.restart(1000));
    await rig.clock.advance(10_000);
    assert.equal(await lost, 'IOTMP_ERR_TIMEOUT');
    rig.peer.send({ type: STREAM_DATA, streamId: 1, payload: 5 });
    await rig.clock.settle();
    assert.deepEqual(rig.listener, Object.assign(new Listener(), { data: [5] }));
    await endQuietly(rig);
  });

  it('is not touched by the signal that was for the opening', async () => {
    const caller = new AbortController();
    const rig = await opened({ signal: caller.signal });
    caller.abort();
    const restarting = rig.stream.restart(1000);
    rig.peer.send({ type: OK, streamId: 1 });
    await restarting;
    await endQuietly(rig);
  });

  it('is given up by a stop', async () => {
    const rig = await opened();
    const restarting = rejectionCode(rig.stream.restart(1000));
    const stopping = rig.stream.stop();
    assert.equal(await restarting, 'IOTMP_ERR_ABORTED');
    rig.peer.send({ type: OK, streamId: 1 });
    await stopping;
    await endQuietly(rig);
  });
});
