import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageType } from '../../../src/codec/constants';
import type { IotmpError } from '../../../src/errors';
import { IdSequence } from '../../../src/session/id-sequence';
import type { OutgoingStream, StreamListener } from '../../../src/session/outgoing-stream';
import type { CallOptions } from '../../../src/session/session';
import { endQuietly, openServer, rejectionCode, type Rig, type SessionSetup } from '../support/session-pair';

const { OK, ERROR, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

/** Writes down what a stream tells its opener. */
class Listener implements StreamListener {
  readonly data: unknown[] = [];
  readonly ends: (string | undefined)[] = [];

  onData(payload: unknown, parameters: unknown): void {
    this.data.push(parameters === undefined ? payload : [payload, parameters]);
  }

  onClose(reason?: IotmpError): void {
    this.ends.push(reason?.code);
  }
}

interface Opening extends Rig {
  readonly listener: Listener;
  readonly opening: Promise<OutgoingStream>;
}

/** A stream whose START_STREAM has been sent. */
async function opening(options?: CallOptions, setup: SessionSetup = {}): Promise<Opening> {
  const rig = await openServer(setup);
  const listener = new Listener();
  const promise = rig.session.openStream('r', listener, options);
  promise.catch(() => undefined);
  await rig.clock.settle();
  return Object.assign(rig, { listener, opening: promise });
}

/** A stream that is open, under the id 1. */
async function opened(
  options?: CallOptions,
  setup?: SessionSetup,
): Promise<Opening & { stream: OutgoingStream }> {
  const rig = await opening(options, setup);
  rig.peer.send({ type: OK, streamId: 1 });
  const stream = await rig.opening;
  rig.peer.take();
  return Object.assign(rig, { stream });
}

const stop = { type: STOP_STREAM, streamId: 1 };

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
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_CLOSED']);
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
      assert.equal(rig.clock.pending, 0);
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
    assert.equal(await rejectionCode(other.opening), 'IOTMP_ERR_CLOSED');
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
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_CLOSED']);
    await rig.stream.stop();
    assert.deepEqual(rig.listener.ends, ['IOTMP_ERR_CLOSED']);
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
