import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IotmpError, RemoteError } from '../../../src/errors';
import { Answer, type ResourceCall, type ResourceDefinition } from '../../../src/session/hosting/resource';
import { endQuietly, openServer, type Rig } from '../support/session-pair';

const { OK, ERROR, RUN } = MessageType;

/** Runs a resource of the session from its peer's side and gives what comes back. */
async function run(rig: Rig, resource: unknown, extra: object = {}): Promise<object[]> {
  rig.peer.send({ type: RUN, streamId: 66, resource, ...extra });
  await rig.clock.settle();
  return rig.peer.take();
}

async function rigWith(definitions: Record<string, ResourceDefinition>, options = {}): Promise<Rig> {
  const rig = await openServer({ options });
  for (const [name, definition] of Object.entries(definitions)) rig.host.host(name, definition);
  return rig;
}

describe('A RUN', () => {
  it('gives the call to the resource, and its output to the peer', async () => {
    const calls: ResourceCall[] = [];
    const rig = await rigWith({
      'gpio/:pin': {
        kind: 'inout',
        run(call) {
          calls.push(call);
          return { state: true };
        },
      },
    });
    rig.session.peer = { user: 'u', device: 'd' };
    assert.deepEqual(await run(rig, ['gpio', '4'], { parameters: { p: 1 }, payload: [1, 2] }), [
      { type: OK, streamId: 66, payload: { state: true } },
    ]);
    const [call] = calls;
    assert.deepEqual(
      { ...call, signal: undefined },
      {
        path: 'gpio/4',
        captures: { pin: '4' },
        parameters: { p: 1 },
        payload: [1, 2],
        caller: { user: 'u', device: 'd' },
        signal: undefined,
      },
    );
    assert.equal(call?.signal.aborted, false);
    await endQuietly(rig);
  });

  it('of an output always has a payload, of an input or run without one none', async () => {
    const nothing = (): undefined => undefined;
    const rig = await rigWith({
      run: { kind: 'run', run: nothing },
      in: { kind: 'input', run: nothing },
      out: { kind: 'output', run: nothing },
      io: { kind: 'inout', run: () => Promise.resolve(undefined) },
    });
    assert.deepEqual(await run(rig, 'run'), [{ type: OK, streamId: 66 }]);
    assert.deepEqual(await run(rig, 'in', { payload: 1 }), [{ type: OK, streamId: 66 }]);
    assert.deepEqual(await run(rig, 'out'), [{ type: OK, streamId: 66, payload: null }]);
    assert.deepEqual(await run(rig, 'io'), [{ type: OK, streamId: 66, payload: null }]);
    await endQuietly(rig);
  });

  it('of something unknown is refused with 404', async () => {
    const rig = await rigWith({});
    for (const resource of ['nothing', undefined, null, 5, [], { a: 1 }]) {
      const [answer] = await run(rig, resource);
      assert.deepEqual(answer, {
        type: ERROR,
        streamId: 66,
        parameters: 404,
        payload: { error: 'no such resource' },
      });
    }
    await endQuietly(rig);
  });

  it('finds a resource by the hash of its name', async () => {
    const rig = await rigWith({ temperature: { kind: 'output', run: () => 21.5 } });
    rig.peer.sendBytes('06 06 08 42 20 b5 d2 02');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: OK, streamId: 66, payload: 21.5 }]);
    await endQuietly(rig);
  });

  it('answers in the order in which resources finish', async () => {
    const finish = new Map<string, (value: unknown) => void>();
    const rig = await rigWith({
      ':name': { kind: 'output', run: ({ path }) => new Promise((resolve) => finish.set(path, resolve)) },
    });
    rig.peer.send({ type: RUN, streamId: 1, resource: 'slow' }, { type: RUN, streamId: 2, resource: 'fast' });
    await rig.clock.settle();
    finish.get('fast')?.('f');
    await rig.clock.settle();
    finish.get('slow')?.('s');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: OK, streamId: 2, payload: 'f' },
      { type: OK, streamId: 1, payload: 's' },
    ]);
    await endQuietly(rig);
  });

  it('answers an Answer with its code, as ERROR from 400 on', async () => {
    const rig = await rigWith({
      accepted: { kind: 'output', run: () => new Answer('soon', 202) },
      conflict: { kind: 'output', run: () => Promise.resolve(new Answer({ error: 'in use', by: 3 }, 409)) },
      plain: { kind: 'run', run: () => new Answer(1) },
      wrong: { kind: 'input', run: () => new Answer(undefined, 400) },
    });
    assert.deepEqual(await run(rig, 'accepted'), [
      { type: OK, streamId: 66, parameters: 202, payload: 'soon' },
    ]);
    assert.deepEqual(await run(rig, 'conflict'), [
      { type: ERROR, streamId: 66, parameters: 409, payload: { error: 'in use', by: 3 } },
    ]);
    assert.deepEqual(await run(rig, 'plain'), [{ type: OK, streamId: 66, payload: 1 }]);
    assert.deepEqual(await run(rig, 'wrong'), [{ type: ERROR, streamId: 66, parameters: 400 }]);
    await endQuietly(rig);
  });

  it('tells the peer what a resource throws, with the status of the error', async () => {
    const fail = (error: unknown): ResourceDefinition => ({
      kind: 'run',
      run: () => {
        throw error;
      },
    });
    const rig = await rigWith({
      plain: fail(new Error('boom')),
      known: fail(new IotmpError('IOTMP_ERR_CONFLICT', 'taken')),
      remote: { kind: 'run', run: () => Promise.reject(new RemoteError('theirs', 418, null)) },
      text: fail('just a text'),
      nothing: fail(undefined),
      bare: fail(Object.create(null)),
      odd: fail(Object.assign(new Error(), { message: { not: 'a text' } })),
      long: fail(new Error('x'.repeat(1e6))),
    });
    const told = async (name: string): Promise<unknown[]> => {
      const answers = await run(rig, name);
      assert.equal(answers.length, 1);
      const { type, parameters, payload } = answers[0] as Record<string, unknown>;
      assert.equal(type, ERROR);
      return [parameters, (payload as Record<string, unknown>).error];
    };
    assert.deepEqual(await told('plain'), [500, 'boom']);
    assert.deepEqual(await told('known'), [409, 'taken']);
    assert.deepEqual(await told('remote'), [418, 'theirs']);
    assert.deepEqual(await told('text'), [500, 'just a text']);
    assert.deepEqual(await told('nothing'), [500, 'undefined']);
    assert.deepEqual(await told('bare'), [500, 'an error without a text']);
    assert.equal((await told('odd'))[0], 500);
    const [, long] = await told('long');
    assert.equal(typeof long === 'string' && long.length, 512);
    await endQuietly(rig);
  });

  it('tells the peer when the output cannot be sent', async () => {
    const rig = await rigWith(
      {
        now: { kind: 'output', run: () => () => 1 },
        later: { kind: 'output', run: () => Promise.resolve(Symbol('s')) },
        error: { kind: 'output', run: () => new Answer({ deep: () => 1 }, 500) },
        large: { kind: 'output', run: () => Promise.resolve('x'.repeat(2000)) },
      },
      { peerMaxBodySize: 1000 },
    );
    for (const [name, status] of Object.entries({ now: 500, later: 500, error: 500, large: 413 })) {
      const [answer, ...more] = await run(rig, name);
      assert.deepEqual(more, []);
      assert.deepEqual(
        { ...answer, payload: 0 },
        { type: ERROR, streamId: 66, parameters: status, payload: 0 },
      );
    }
    await endQuietly(rig);
  });

  it('without stream id, or with 0, is done and not answered', async () => {
    const seen: unknown[] = [];
    const rig = await rigWith({ in: { kind: 'input', run: ({ payload }) => seen.push(payload) } });
    rig.peer.send(
      { type: RUN, resource: 'in', payload: 1 },
      { type: RUN, streamId: 0, resource: 'in', payload: 2 },
      { type: RUN, resource: 'unknown' },
      { type: RUN, streamId: 0, resource: ['unknown'] },
    );
    await rig.clock.settle();
    assert.deepEqual(seen, [1, 2]);
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('that takes too long is answered with 504, and its late output is dropped', async () => {
    let finish: (value: unknown) => void = () => undefined;
    let fail: (error: unknown) => void = () => undefined;
    const rig = await rigWith(
      {
        slow: { kind: 'output', run: () => new Promise((resolve) => (finish = resolve)) },
        quick: { kind: 'output', timeoutMs: 500, run: () => new Promise((_, reject) => (fail = reject)) },
      },
      { handlerTimeoutMs: 2000 },
    );
    const late = { type: ERROR, parameters: 504, payload: { error: 'no answer in time' } };
    rig.peer.send(
      { type: RUN, streamId: 1, resource: 'slow' },
      { type: RUN, streamId: 2, resource: 'quick' },
    );
    await rig.clock.advance(499);
    assert.deepEqual(rig.peer.take(), []);
    await rig.clock.advance(1);
    assert.deepEqual(rig.peer.take(), [{ ...late, streamId: 2 }]);
    await rig.clock.advance(1500);
    assert.deepEqual(rig.peer.take(), [{ ...late, streamId: 1 }]);
    finish('too late');
    fail(new Error('too late'));
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('is refused with 503 while too many are worked on', async () => {
    const finish: ((value: unknown) => void)[] = [];
    const rig = await rigWith(
      { slow: { kind: 'output', run: () => new Promise((resolve) => finish.push(resolve)) } },
      { maxConcurrentCalls: 2 },
    );
    for (const streamId of [1, 2, 3]) rig.peer.send({ type: RUN, streamId, resource: 'slow' });
    await rig.clock.settle();
    assert.equal(finish.length, 2);
    assert.deepEqual(rig.peer.take(), [
      { type: ERROR, streamId: 3, parameters: 503, payload: { error: 'too many calls at once' } },
    ]);
    finish[0]?.('done');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: OK, streamId: 1, payload: 'done' }]);
    rig.peer.send({ type: RUN, streamId: 4, resource: 'slow' });
    await rig.clock.settle();
    assert.equal(finish.length, 3);
    await endQuietly(rig);
  });

  it('is told by its signal when the connection ends, and its output goes nowhere', async () => {
    const signals: AbortSignal[] = [];
    let finish: (value: unknown) => void = () => undefined;
    const rig = await rigWith({
      slow: {
        kind: 'output',
        run(call) {
          signals.push(call.signal);
          return new Promise((resolve) => (finish = resolve));
        },
      },
    });
    rig.peer.send({ type: RUN, streamId: 1, resource: 'slow' });
    await rig.clock.settle();
    const [signal] = signals;
    assert.equal(signal?.aborted, false);
    await endQuietly(rig);
    assert.equal(signal.aborted, true);
    assert.equal((signal.reason as IotmpError).code, 'IOTMP_ERR_CLOSED');
    finish('nobody hears it');
    await rig.clock.settle();
  });

  it('can call the peer back before it answers', async () => {
    const rig = await openServer();
    rig.host.host('sum', {
      kind: 'inout',
      run: async () => (await rig.session.call('their/value')).payload,
    });
    rig.peer.send({ type: RUN, streamId: 7, resource: 'sum' });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: RUN, streamId: 1, resource: 'their/value' }]);
    rig.peer.send({ type: OK, streamId: 1, payload: 5 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: OK, streamId: 7, payload: 5 }]);
    await endQuietly(rig);
  });

  it('may have the id of a request of this end: the directions do not share answers', async () => {
    const rig = await rigWith({ out: { kind: 'output', run: () => 'ours' } });
    const reply = rig.session.call('r');
    rig.peer.send({ type: RUN, streamId: 1, resource: 'out' }, { type: OK, streamId: 1, payload: 'theirs' });
    assert.equal((await reply).payload, 'theirs');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: RUN, streamId: 1, resource: 'r' },
      { type: OK, streamId: 1, payload: 'ours' },
    ]);
    await endQuietly(rig);
  });
});
