import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { Answer, type ResourceDefinition } from '../../../src/session/hosting/resource';
import { endQuietly, openServer, type Rig } from '../support/session-pair';

const { OK, ERROR, DESCRIBE } = MessageType;

async function ask(rig: Rig, resource?: unknown): Promise<object | undefined> {
  rig.peer.send({ type: DESCRIBE, streamId: 16, resource });
  await rig.clock.settle();
  const [answer, ...more] = rig.peer.take();
  assert.deepEqual(more, []);
  return answer;
}

async function rigWith(definitions: Record<string, ResourceDefinition>): Promise<Rig> {
  const rig = await openServer({ options: { handlerTimeoutMs: 1000 } });
  for (const [name, definition] of Object.entries(definitions)) rig.host.host(name, definition);
  return rig;
}

const neverRun = (): never => assert.fail('a resource was run for DESCRIBE');

describe('DESCRIBE', () => {
  it('without resource names everything and runs nothing', async () => {
    const rig = await rigWith({
      reboot: { kind: 'run', run: neverRun },
      led: { kind: 'input', run: neverRun },
      temperature: { kind: 'output', run: neverRun },
      'gpio/:pin': { kind: 'inout', run: neverRun, needsParameters: true, streamable: false, id: 3 },
    });
    assert.deepEqual(await ask(rig), {
      type: OK,
      streamId: 16,
      payload: {
        reboot: { fn: 1 },
        led: { fn: 2 },
        temperature: { fn: 3 },
        'gpio/:pin': { fn: 4, pr: true, st: false, id: 3 },
      },
    });
    await endQuietly(rig);
  });

  it('of nothing at all is an empty map', async () => {
    const rig = await rigWith({});
    assert.deepEqual(await ask(rig), { type: OK, streamId: 16, payload: {} });
    await endQuietly(rig);
  });

  it('of an output runs it, and shows its value', async () => {
    const rig = await rigWith({
      now: { kind: 'output', run: () => 21.5 },
      later: { kind: 'output', run: () => Promise.resolve({ t: 1 }) },
      nothing: { kind: 'output', run: () => undefined },
      coded: { kind: 'output', run: () => new Answer('soon', 202) },
    });
    assert.deepEqual(await ask(rig, 'now'), { type: OK, streamId: 16, payload: { out: 21.5 } });
    assert.deepEqual(await ask(rig, 'later'), { type: OK, streamId: 16, payload: { out: { t: 1 } } });
    assert.deepEqual(await ask(rig, 'nothing'), { type: OK, streamId: 16, payload: { out: null } });
    assert.deepEqual(await ask(rig, 'coded'), { type: OK, streamId: 16, payload: { out: 'soon' } });
    await endQuietly(rig);
  });

  it('never runs an input, an input and output, or a run', async () => {
    const rig = await rigWith({
      in: { kind: 'input', run: neverRun },
      io: { kind: 'inout', run: neverRun },
      run: { kind: 'run', run: neverRun },
    });
    for (const name of ['in', 'io', 'run']) {
      assert.deepEqual(await ask(rig, name), { type: OK, streamId: 16 });
    }
    await endQuietly(rig);
  });

  it('shows the samples that a resource gives, in place of running it', async () => {
    const rig = await rigWith({
      io: { kind: 'inout', run: neverRun, describe: () => ({ in: { a: 0 }, out: { sum: 0 } }) },
      out: { kind: 'output', run: neverRun, describe: () => ({ out: 1 }) },
      none: { kind: 'inout', run: neverRun, describe: () => ({}) },
      blank: { kind: 'inout', run: neverRun, describe: () => ({ in: undefined }) },
    });
    assert.deepEqual(await ask(rig, 'io'), {
      type: OK,
      streamId: 16,
      payload: { in: { a: 0 }, out: { sum: 0 } },
    });
    assert.deepEqual(await ask(rig, 'out'), { type: OK, streamId: 16, payload: { out: 1 } });
    assert.deepEqual(await ask(rig, 'none'), { type: OK, streamId: 16 });
    assert.deepEqual(await ask(rig, 'blank'), { type: OK, streamId: 16 });
    await endQuietly(rig);
  });

  it('tells what fails', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    const rig = await rigWith({
      now: { kind: 'output', run: boom },
      later: { kind: 'output', run: () => Promise.reject(new Error('boom')) },
      sample: { kind: 'input', run: neverRun, describe: boom },
    });
    const error = { type: ERROR, streamId: 16, parameters: 500, payload: { error: 'boom' } };
    for (const name of ['now', 'later', 'sample']) assert.deepEqual(await ask(rig, name), error);
    const unknown = { error: 'no such resource' };
    assert.deepEqual(await ask(rig, 'x'), { ...error, parameters: 404, payload: unknown });
    assert.deepEqual(await ask(rig, ''), { ...error, parameters: 404, payload: unknown });
    await endQuietly(rig);
  });

  it('tells when a sample cannot be sent', async () => {
    const rig = await rigWith({
      now: { kind: 'output', run: () => Symbol('s') },
      later: { kind: 'output', run: () => Promise.resolve(neverRun) },
      sample: { kind: 'input', run: neverRun, describe: () => ({ in: neverRun }) },
    });
    for (const name of ['now', 'later', 'sample']) {
      const { type, parameters } = (await ask(rig, name)) as Record<string, unknown>;
      assert.deepEqual([type, parameters], [ERROR, 500], name);
    }
    await endQuietly(rig);
  });

  it('times out as a call does', async () => {
    const rig = await rigWith({ slow: { kind: 'output', run: () => new Promise(() => undefined) } });
    assert.equal(await ask(rig, 'slow'), undefined);
    await rig.clock.advance(1000);
    assert.deepEqual(rig.peer.take(), [
      { type: ERROR, streamId: 16, parameters: 504, payload: { error: 'no answer in time' } },
    ]);
    await endQuietly(rig);
  });
});
