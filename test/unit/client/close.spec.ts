import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { IotmpError } from '../../../src/errors';
import { Scene } from './support';

describe('close', () => {
  it('says DISCONNECT, waits for the end of the connection and leaves nothing behind', async () => {
    const scene = new Scene();
    scene.client.stream('feed', {}, { onSample: () => undefined });
    await scene.open();
    const { session } = scene.server;
    let reason = '';
    session.signal.addEventListener('abort', () => (reason = String(session.signal.reason)));
    await scene.client.close();
    assert.equal(session.state, 'closed');
    assert.match(reason, /the peer disconnected/);
    assert.equal(scene.clock.pending, 0);
    assert.deepEqual(scene.states.slice(-2), ['open', 'closed']);
    assert.equal(scene.errors.at(-1), undefined);
  });

  it('may be called again, also at the same time', async () => {
    const scene = new Scene();
    await scene.open();
    await Promise.all([scene.client.close(), scene.client.close()]);
    await scene.client.close();
    assert.equal(scene.states.filter((state) => state === 'closed').length, 1);
    assert.throws(() => scene.client.connect(), { code: 'IOTMP_ERR_CLOSED' });
    scene.client.update({ credential: 'x' });
    await scene.clock.advance(60_000);
    assert.equal(scene.attempts, 1);
  });

  it('ends a client that was never started', async () => {
    const scene = new Scene();
    const ready = assert.rejects(scene.client.ready(), { code: 'IOTMP_ERR_CLOSED' });
    await scene.client.close();
    await ready;
    await assert.rejects(scene.client.ready(), { code: 'IOTMP_ERR_CLOSED' });
    assert.equal(scene.client.state, 'closed');
  });

  it('ends an attempt that has no connection yet', async () => {
    let given: AbortSignal | undefined;
    const scene = new Scene({
      connectTransport: (_target, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          given = signal;
          signal?.addEventListener('abort', () => reject(new IotmpError('IOTMP_ERR_ABORTED', 'given up')));
        }),
    });
    scene.client.connect();
    const ready = assert.rejects(scene.client.ready(), { code: 'IOTMP_ERR_CLOSED' });
    await scene.client.close();
    await ready;
    assert.equal(given?.aborted, true);
    assert.equal(scene.clock.pending, 0);
  });

  it('ends an attempt that waits for its answer', async () => {
    const scene = new Scene();
    scene.server.doorman = () => new Promise(() => undefined);
    await scene.connect();
    await scene.client.close();
    await scene.clock.settle();
    assert.equal(scene.clock.pending, 0);
    assert.equal(scene.server.connects.length, 1);
    scene.server.session.close();
    await scene.clock.settle();
    assert.equal(scene.clock.pending, 0);
  });

  it('ends a wait for the next attempt', async () => {
    const scene = new Scene();
    scene.server.outage = new Error('unreachable');
    await scene.connect();
    assert.equal(scene.clock.pending, 1);
    await scene.client.close();
    assert.equal(scene.clock.pending, 0);
    await scene.clock.advance(600_000);
    assert.equal(scene.attempts, 1);
  });

  it('ends a refused client', async () => {
    const scene = new Scene();
    scene.server.doorman = () => {
      throw new IotmpError('IOTMP_ERR_AUTH', 'no');
    };
    await scene.connect();
    await scene.client.close();
    assert.equal(scene.client.state, 'closed');
    await assert.rejects(scene.client.ready(), { code: 'IOTMP_ERR_CLOSED' });
    assert.equal(scene.clock.pending, 0);
  });

  it('cuts a connection whose other end does not end', async () => {
    const scene = new Scene();
    await scene.open();
    scene.server.session.transport.pause();
    let closed = false;
    const closing = scene.client.close().then(() => (closed = true));
    await scene.clock.advance(1999);
    assert.equal(closed, false);
    await scene.clock.advance(1);
    await closing;
    scene.server.session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'test ends'));
    await scene.clock.settle();
    assert.equal(scene.clock.pending, 0);
  });

  it('ends an attempt from within a call that came together with the OK', async () => {
    const scene = new Scene();
    let closed: Promise<void> | undefined;
    scene.client.host('off', { kind: 'run', run: () => void (closed = scene.client.close()) });
    scene.server.doorman = (session, { streamId }) => {
      const ok = encodeMessage({ type: MessageType.OK, streamId });
      session.transport.send(Buffer.concat([ok, encodeMessage({ type: MessageType.RUN, resource: 'off' })]));
      return new Promise(() => undefined);
    };
    await scene.connect();
    await closed;
    assert.deepEqual(scene.states, ['connecting', 'closed']);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('lets nothing through that arrives afterwards', async () => {
    const scene = new Scene();
    let runs = 0;
    scene.client.host('count', { kind: 'output', run: () => ++runs });
    await scene.open();
    const closing = scene.client.close();
    scene.server.session.outbox.send({ type: MessageType.RUN, streamId: 9, resource: 'count' });
    await closing;
    assert.equal(runs, 0);
    assert.equal(scene.clock.pending, 0);
  });

  it('adds no listener to the client or to the signals of its callers', async () => {
    const scene = new Scene();
    scene.server.resources.host('value', { kind: 'output', run: () => 1 });
    const before = scene.client.eventNames().map((name) => [name, scene.client.listenerCount(name)]);
    const abort = new AbortController();
    let added = 0;
    const { signal } = abort;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      added++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      added--;
      remove(...args);
    };
    await scene.open();
    for (let i = 0; i < 5; i++) {
      await scene.client.call('value', { signal });
      scene.server.session.close();
      await scene.clock.advance(60_000);
    }
    assert.equal(scene.client.state, 'open');
    assert.equal(added, 0);
    await scene.close();
    assert.deepEqual(
      scene.client.eventNames().map((name) => [name, scene.client.listenerCount(name)]),
      before,
    );
    assert.equal(scene.clock.pending, 0);
  });
});
