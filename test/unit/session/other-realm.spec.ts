import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { asError, errorText } from '../../../src/errors';
import type { ResourceDefinition } from '../../../src/session/hosting/resource';
import { endQuietly, openServer, type Rig } from '../support/session-pair';

const { OK, ERROR, RUN, START_STREAM, STREAM_DATA } = MessageType;

/** A function as a function node makes it. */
function foreign(source: string): () => unknown {
  return runInNewContext(`(${source})`) as () => unknown;
}

async function rigWith(definition: ResourceDefinition): Promise<Rig> {
  const rig = await openServer();
  rig.host.host('it', definition);
  return rig;
}

async function answers(rig: Rig, type: number): Promise<object[]> {
  rig.peer.send({
    type,
    streamId: 7,
    resource: 'it',
    ...(type === START_STREAM && { parameters: { i: 0 } }),
  });
  await rig.clock.settle();
  return rig.peer.take();
}

/** Functions whose result `await` waits for, which gives 21.5. */
const LATER: Readonly<Record<string, () => unknown>> = {
  'an async function of another realm': foreign('async () => 21.5'),
  'a promise of a library': () => ({ then: (done: (value: unknown) => void) => done(21.5) }),
};

describe('A result that is there later', () => {
  for (const [name, run] of Object.entries(LATER)) {
    it(`of ${name} is waited for by calls and streams`, async () => {
      const rig = await rigWith({ kind: 'output', run });
      assert.deepEqual(await answers(rig, RUN), [{ type: OK, streamId: 7, payload: 21.5 }]);
      assert.deepEqual(await answers(rig, START_STREAM), [
        { type: OK, streamId: 7 },
        { type: STREAM_DATA, streamId: 7, payload: 21.5 },
      ]);
      await endQuietly(rig);
    });

    it(`of ${name} opens a stream`, async () => {
      const rig = await rigWith({ kind: 'output', run: () => 1, open: () => run() });
      assert.deepEqual(await answers(rig, START_STREAM), [{ type: OK, streamId: 7, payload: 21.5 }]);
      await endQuietly(rig);
    });
  }

  it('and is an error of another realm is answered with its text', async () => {
    const rig = await rigWith({
      kind: 'output',
      run: foreign('async () => { throw new TypeError("sensor broken") }'),
    });
    assert.deepEqual(await answers(rig, RUN), [
      { type: ERROR, streamId: 7, parameters: 500, payload: { error: 'sensor broken' } },
    ]);
    await endQuietly(rig);
  });

  it('of a `then` that throws is an error of the call', async () => {
    const rig = await rigWith({
      kind: 'output',
      run: () => ({
        then() {
          throw new Error('no');
        },
      }),
    });
    assert.deepEqual(await answers(rig, RUN), [
      { type: ERROR, streamId: 7, parameters: 500, payload: { error: 'no' } },
    ]);
    await endQuietly(rig);
  });
});

describe('An error', () => {
  it('of another realm, or of none, is taken as one', () => {
    const thrown = foreign('() => new RangeError("far away")')();
    assert.equal(errorText(thrown), 'far away');
    assert.equal(asError(thrown), thrown);
    const aborted = new DOMException('given up', 'AbortError');
    assert.equal(errorText(aborted), 'given up');
    assert.equal(asError(aborted), aborted);
  });
});
