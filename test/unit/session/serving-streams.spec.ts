import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageType } from '../../../src/codec/constants';
import type { HostedResource } from '../../../src/session/hosted-resource';
import { Answer, type ResourceDefinition, type ResourceStream } from '../../../src/session/resource';
import { streamInterval } from '../../../src/session/stream-interval';
import { endQuietly, openServer, type Rig } from '../support/session-pair';

const { OK, ERROR, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

interface StreamRig extends Rig {
  readonly resource: HostedResource;
}

async function rigWith(definition: ResourceDefinition, options = {}): Promise<StreamRig> {
  const rig = await openServer({ options });
  return Object.assign(rig, { resource: rig.host.host('r', definition) });
}

/** An output that counts how often it was read. */
function counter(): ResourceDefinition {
  let reads = 0;
  return { kind: 'output', run: () => ++reads };
}

async function start({ peer, clock }: Rig, extra: object = {}): Promise<object[]> {
  peer.send({ type: START_STREAM, streamId: 161, resource: 'r', ...extra });
  await clock.settle();
  return peer.take();
}

async function data({ peer, clock }: Rig, payload: unknown): Promise<object[]> {
  peer.send({ type: STREAM_DATA, streamId: 161, payload });
  await clock.settle();
  return peer.take();
}

const ok = { type: OK, streamId: 161 };
const stop = { type: STOP_STREAM, streamId: 161 };
const sample = (payload: unknown): object => ({ type: STREAM_DATA, streamId: 161, payload });
const refused = (parameters: number, error: string): object => ({
  type: ERROR,
  streamId: 161,
  parameters,
  payload: { error },
});

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
    for (const { peer, session } of [small, large]) {
      session.host.resolve = () => ({ resource, path: 'r', captures: {}, parameters: undefined });
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
});

describe('A stream on an input, or an input and output', () => {
  it('does nothing until data comes, then runs with it and sends what it gives', async () => {
    const seen: unknown[] = [];
    const rig = await rigWith({
      kind: 'inout',
      run({ payload }) {
        seen.push(payload);
        return payload === 'quiet' ? undefined : { got: payload };
      },
    });
    assert.deepEqual(await start(rig, { parameters: 100 }), [ok]);
    await rig.clock.advance(1000);
    assert.deepEqual(seen, []);
    assert.deepEqual(await data(rig, true), [sample({ got: true })]);
    assert.deepEqual(await data(rig, 'quiet'), []);
    assert.deepEqual(await data(rig, undefined), [sample({})]);
    assert.deepEqual(seen, [true, 'quiet', undefined]);
    rig.resource.publish('state');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('carries what is published, where it has no interval', async () => {
    const rig = await rigWith({ kind: 'input', run: () => undefined });
    await start(rig);
    rig.resource.publish(true);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [sample(true)]);
    await endQuietly(rig);
  });

  it('takes many messages at once where the resource is quick', async () => {
    const seen: unknown[] = [];
    const rig = await rigWith({ kind: 'input', run: ({ payload }) => void seen.push(payload) });
    await start(rig);
    const inputs = Array.from({ length: 1000 }, (_, index) => index);
    rig.peer.send(...inputs.map((payload) => ({ type: STREAM_DATA, streamId: 161, payload })));
    await rig.clock.settle();
    assert.deepEqual(seen, inputs);
    assert.deepEqual(rig.warnings, []);
    await endQuietly(rig);
  });

  it('drops what would be too much at once where the resource is slow', async () => {
    let runs = 0;
    const run = (): Promise<unknown> => {
      runs++;
      return new Promise(() => undefined);
    };
    const rig = await rigWith({ kind: 'input', run }, { maxConcurrentCalls: 3 });
    await start(rig);
    for (let index = 0; index < 10; index++) await data(rig, index);
    assert.equal(runs, 3);
    assert.match(rig.warnings[0] ?? '', /too many calls/);
    await endQuietly(rig);
  });

  it('outlives data that makes the resource fail', async () => {
    const rig = await rigWith({
      kind: 'input',
      run({ payload }) {
        if (payload === 1) throw new Error('sync');
        return payload === 2 ? Promise.reject(new Error('async')) : payload;
      },
    });
    await start(rig);
    assert.deepEqual(await data(rig, 1), []);
    assert.deepEqual(await data(rig, 2), []);
    assert.deepEqual(await data(rig, 3), [sample(3)]);
    assert.deepEqual(rig.warnings, ['stream of r: sync', 'stream of r: async']);
    await endQuietly(rig);
  });
});

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
      assert.deepEqual([type, parameters], [ERROR, 400]);
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
