import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { endQuietly, openServer } from '../support/session-pair';
import { Listener, stop } from './own-stream';

const { OK, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

describe('Data of an unknown stream', () => {
  it('is answered with exactly one STOP_STREAM for each id', async () => {
    const rig = await openServer();
    const data = (streamId: number): object => ({ type: STREAM_DATA, streamId, payload: 1 });
    for (let index = 0; index < 5; index++) {
      rig.peer.send({ type: STREAM_DATA, streamId: 9158, payload: index });
    }
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: STOP_STREAM, streamId: 9158 }]);
    rig.peer.send(data(9158) as never, data(17767) as never, { type: OK, streamId: 9158 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: STOP_STREAM, streamId: 17767 }]);
    assert.deepEqual(rig.warnings, []);
    await endQuietly(rig);
  });

  it('with id 0 or none is let go', async () => {
    const rig = await openServer();
    rig.peer.send({ type: STREAM_DATA, streamId: 0, payload: 1 }, { type: STREAM_DATA, payload: 1 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('is remembered for a bounded number of ids', async () => {
    const rig = await openServer();
    for (let streamId = 1; streamId <= 3000; streamId++) rig.peer.send({ type: STREAM_DATA, streamId });
    await rig.clock.settle();
    assert.equal(rig.peer.take().length, 1024);
    await endQuietly(rig);
  });

  it('is told again once the id belonged to a stream of this end in between', async () => {
    const rig = await openServer();
    const stray = { type: STREAM_DATA, streamId: 1, payload: 1 };
    rig.peer.send(stray);
    await rig.clock.settle();
    const promise = rig.session.openStream('r', new Listener());
    await rig.clock.settle();
    rig.peer.send({ type: OK, streamId: 1 });
    const stopping = (await promise).stop();
    await rig.clock.settle();
    rig.peer.take();
    rig.peer.send({ type: OK, streamId: 1 });
    await stopping;
    rig.peer.send(stray, stray);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [stop]);
    await endQuietly(rig);
  });

  it('is told again once the id belonged to a stream in between', async () => {
    const rig = await openServer();
    rig.host.host('io', { kind: 'inout', run: () => undefined });
    const stray = { type: STREAM_DATA, streamId: 7, payload: 1 };
    rig.peer.send(
      stray,
      { type: START_STREAM, streamId: 7, resource: 'io' },
      stray,
      { ...stray, type: STOP_STREAM },
      stray,
    );
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: STOP_STREAM, streamId: 7 },
      { type: OK, streamId: 7 },
      { type: OK, streamId: 7 },
      { type: STOP_STREAM, streamId: 7 },
    ]);
    await endQuietly(rig);
  });
});
