import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import type { ResourceDefinition, ResourceStream } from '../../../src/session/hosting/resource';
import { endQuietly } from '../support/session-pair';
import { data, ok, refused, rigWith, sample, start, stop, type StreamRig } from './peer-stream';

const { ERROR, STOP_STREAM } = MessageType;

describe('A resource that opens its streams itself', () => {
  /** A rig whose resource keeps the streams that are opened, and gives `result` for them. */
  async function openerRig(
    result: (stream: ResourceStream) => unknown,
    extra: Partial<ResourceDefinition> = {},
  ): Promise<StreamRig & { streams: ResourceStream[]; closed: ResourceStream[] }> {
    const streams: ResourceStream[] = [];
    const closed: ResourceStream[] = [];
    const rig = await rigWith({
      kind: 'output',
      run: () => assert.fail('it was run'),
      open(stream) {
        streams.push(stream);
        stream.onClose = () => closed.push(stream);
        return result(stream);
      },
      ...extra,
    });
    return Object.assign(rig, { streams, closed });
  }

  it('gets the stream, and its result is the payload of the OK', async () => {
    const rig = await openerRig(() => ({ current: 5 }));
    rig.session.peer = { user: 'u', device: 'd' };
    assert.deepEqual(await start(rig, { parameters: { event: 'x', interval: 250 } }), [
      { ...ok, payload: { current: 5 } },
    ]);
    await rig.clock.advance(1000);
    assert.deepEqual(rig.peer.take(), []);
    const [stream] = rig.streams;
    assert.equal(stream?.intervalMs, 250);
    assert.equal(stream.path, 'r');
    assert.deepEqual(stream.parameters, { event: 'x', interval: 250 });
    assert.deepEqual(stream.caller, { user: 'u', device: 'd' });
    assert.equal(stream.write('sample'), true);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [sample('sample')]);
    stream.close();
    stream.close();
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [stop]);
    assert.equal(stream.closed, true);
    assert.equal(stream.write('late'), false);
    assert.deepEqual(rig.closed, [stream]);
    await endQuietly(rig);
  });

  it('gets the data that the peer writes', async () => {
    const seen: unknown[] = [];
    const rig = await openerRig((stream) => {
      stream.onData = (payload) => seen.push(payload);
    });
    assert.deepEqual(await start(rig), [ok]);
    assert.deepEqual(await data(rig, 'in'), []);
    assert.deepEqual(seen, ['in']);
    await endQuietly(rig);
    assert.equal(rig.closed.length, 1);
  });

  it('may write before it has answered: the OK comes first all the same', async () => {
    const rig = await openerRig((stream) => {
      assert.equal(stream.write('early'), false);
      rig.resource.publish('published');
      return Promise.resolve('current');
    });
    assert.deepEqual(await start(rig), [{ ...ok, payload: 'current' }, sample('early'), sample('published')]);
    await endQuietly(rig);
  });

  it('gets no data of a stream that it has not let in yet', async () => {
    const seen: unknown[] = [];
    let letIn: (value: unknown) => void = () => undefined;
    const rig = await rigWith({
      kind: 'input',
      run: ({ payload }) => void seen.push(payload),
      open: () => new Promise((resolve) => (letIn = resolve)),
    });
    await start(rig);
    await data(rig, 'too early');
    letIn(undefined);
    await data(rig, 'in time');
    assert.deepEqual(seen, ['in time']);
    await endQuietly(rig);
  });

  it('refuses by throwing', async () => {
    for (const fail of [() => Promise.reject(new Error('no')), () => assert.fail('no')]) {
      const rig = await openerRig(fail);
      assert.deepEqual(await start(rig), [refused(500, 'no')]);
      assert.equal(rig.closed.length, 1);
      assert.equal(rig.session.streamCount, 0);
      assert.equal(rig.resource.streamCount, 0);
      await endQuietly(rig);
    }
  });

  it('refuses by ending the stream before it has answered', async () => {
    const rig = await openerRig((stream) => stream.close());
    assert.deepEqual(await start(rig), [refused(503, 'the resource ended the stream')]);
    assert.equal(rig.session.streamCount, 0);
    await endQuietly(rig);
  });

  it('has a stream less when its answer cannot be sent', async () => {
    for (const result of [(): unknown => Symbol('s'), () => Promise.resolve(() => 1)]) {
      const rig = await openerRig(result);
      const [{ type, parameters }] = (await start(rig)) as [Record<string, unknown>];
      assert.deepEqual([type, parameters], [ERROR, 500]);
      assert.equal(rig.session.streamCount, 0);
      assert.equal(rig.closed.length, 1);
      await endQuietly(rig);
    }
  });

  it('that does not answer is answered for, with 504', async () => {
    const rig = await openerRig(() => new Promise(() => undefined), { timeoutMs: 700 });
    assert.deepEqual(await start(rig), []);
    await rig.clock.advance(700);
    assert.deepEqual(rig.peer.take(), [refused(504, 'no answer in time')]);
    assert.equal(rig.session.streamCount, 0);
    assert.equal(rig.closed.length, 1);
    await endQuietly(rig);
  });

  it('is told once when the stream is replaced, while it was still being opened', async () => {
    const finish: ((value: unknown) => void)[] = [];
    const rig = await openerRig(() => new Promise((resolve) => finish.push(resolve)));
    await start(rig);
    await start(rig);
    assert.equal(rig.closed.length, 1);
    finish[0]?.('old');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    finish[1]?.('new');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ ...ok, payload: 'new' }]);
    await endQuietly(rig);
    assert.equal(rig.closed.length, 2);
  });

  it('refuses nothing any more when the stream was replaced', async () => {
    const fail: ((error: Error) => void)[] = [];
    const rig = await openerRig(() => new Promise((_, reject) => fail.push(reject)));
    await start(rig);
    await start(rig);
    fail[0]?.(new Error('old'));
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    fail[1]?.(new Error('new'));
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [refused(500, 'new')]);
    await endQuietly(rig);
  });

  it('that throws in onData or onClose costs a warning, not the session', async () => {
    const rig = await openerRig((stream) => {
      stream.onData = () => assert.fail('in onData');
      stream.onClose = () => assert.fail('in onClose');
    });
    await start(rig);
    await data(rig, 1);
    rig.peer.send({ type: STOP_STREAM, streamId: 161 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [ok]);
    assert.match(rig.warnings[0] ?? '', /in onData/);
    assert.match(rig.warnings[1] ?? '', /in onClose/);
    await endQuietly(rig);
  });

  it('is told when the connection ends', async () => {
    const rig = await openerRig(() => undefined);
    await start(rig);
    rig.peer.hangUp();
    await rig.clock.settle();
    assert.equal(rig.closed.length, 1);
    assert.equal(rig.streams[0]?.closed, true);
    assert.equal(rig.streams[0].write('late'), false);
    assert.equal(rig.clock.pending, 0);
  });
});
