import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { MessageType } from '../../../src/codec/constants';
import type { OutgoingMessage } from '../../../src/codec/writing/message-encoder';
import { IotmpError } from '../../../src/errors';
import type { HostedResource } from '../../../src/session/hosting/hosted-resource';
import { Answer } from '../../../src/session/hosting/resource';
import { times } from '../../support/effort';
import { openServer, startServer, type Rig } from '../support/session-pair';
import type { SessionStream } from '../../../src/session/streams/session-stream';

/** A session with resources of every temper, and what it began by itself. */
interface Scene {
  readonly rig: Rig;
  readonly hosted: HostedResource[];
  readonly streams: SessionStream[];
  /** Everything that has to settle, with IotmpErrors only. */
  readonly pending: Promise<unknown>[];
  /** What is still being made: the test finishes it at the end. */
  readonly makings: ((value: unknown) => void)[];
}

type Action = (scene: Scene) => void | Promise<void>;

const NAMES = [
  'now',
  'later',
  'never',
  'fails',
  'rejects',
  'odd',
  'run',
  'in/4',
  'opens',
  'refuses',
  'unknown',
  'bye',
];

function host({ rig, hosted, makings }: Scene): void {
  const later = (): Promise<unknown> => new Promise((resolve) => makings.push(resolve));
  const boom = (): never => {
    throw new Error('boom');
  };
  const { host: registry, session } = rig;
  hosted.push(
    registry.host('now', { kind: 'output', run: () => ({ t: 21.5 }) }),
    registry.host('later', { kind: 'output', run: later }),
    registry.host('never', { kind: 'inout', run: () => new Promise(() => undefined) }),
    registry.host('fails', { kind: 'output', run: boom, describe: boom }),
    registry.host('rejects', { kind: 'inout', run: () => Promise.reject(new Error('later boom')) }),
    registry.host('odd', { kind: 'inout', run: () => new Answer(() => 1, 409) }),
    registry.host('run', { kind: 'run', run: () => undefined }),
    registry.host('in/:n', { kind: 'input', run: ({ payload }) => payload }),
    registry.host('opens', {
      kind: 'inout',
      run: later,
      open(stream) {
        stream.onData = (payload) => void stream.write([payload ?? null]);
        stream.onClose = boom;
        stream.write('early');
        return later();
      },
    }),
    registry.host('refuses', { kind: 'output', run: boom, open: boom }),
    registry.host('bye', { kind: 'input', run: ({ payload }) => payload === 'bye' && session.close() }),
  );
}

/** Whatever settles must be an answer or an error of the catalogue. */
function watch(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => {
    assert.ok(error instanceof IotmpError, `rejected with ${String(error)}`);
  });
}

const listener = {
  onData(payload: unknown): void {
    if (payload === 'bye') throw new Error('in onData');
  },
  onClose(): void {
    throw new Error('in onClose');
  },
};

/** Few ids, so that requests and streams of both sides meet. */
const id = fc.option(fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(9158, 17767, 65535)), {
  nil: undefined,
});
const payload = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    'bye',
    { error: 'no' },
    { interval: 20 },
    { interval: -1 },
    [],
    404,
    200,
  ),
  fc.jsonValue(),
);
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.constantFrom(undefined, null, 3, 0xa935, ['in', '4'], {}),
);

const message: fc.Arbitrary<OutgoingMessage> = fc.record({
  type: fc.constantFrom(...Object.values(MessageType).filter((type) => type > 0), 11, 100),
  streamId: id,
  parameters: payload,
  payload,
  resource: name,
});
/** DISCONNECT would end most of the runs early. */
const harmless = message.filter(({ type }) => type !== MessageType.DISCONNECT);

const say = harmless.map(
  (it): Action =>
    ({ rig }) =>
      rig.peer.send(it),
);
const answer = fc.tuple(fc.constantFrom(1, 2), id, payload).map(
  ([type, streamId, body]): Action =>
    ({ rig }) =>
      rig.peer.send({ type, streamId, payload: body }),
);
const call = fc.tuple(name, payload).map(
  ([resource, body]): Action =>
    ({ rig, pending }) =>
      void pending.push(watch(rig.session.call(resource, { payload: body, timeoutMs: 500 }))),
);
const open = fc
  .tuple(name, payload, fc.boolean())
  .map(([resource, parameters, aborts]): Action => ({ rig, pending, streams }) => {
    const caller = new AbortController();
    const options = { parameters, timeoutMs: 500, signal: caller.signal };
    const opening = rig.session.openStream(resource, listener, options);
    pending.push(watch(opening.then((stream) => streams.push(stream))));
    if (aborts) caller.abort();
  });
const useStream = fc
  .tuple(fc.nat(3), fc.constantFrom('stop', 'restart', 'write'))
  .map(([index, use]): Action => ({ streams, pending }) => {
    const stream = streams.at(index);
    if (stream === undefined) return;
    if (use === 'write' && !stream.closed) stream.write(index);
    else pending.push(watch(use === 'stop' ? stream.stop() : stream.restart(1000)));
  });
const publish = fc.tuple(fc.nat(10), fc.jsonValue()).map(
  ([index, value]): Action =>
    ({ hosted }) =>
      hosted[index]?.publish(value),
);
const finish = fc.constant<Action>(({ makings }) => makings.shift()?.('made'));
const remove = fc.nat(10).map(
  (index): Action =>
    ({ hosted }) =>
      hosted[index]?.remove(),
);
const readOrNot = fc.boolean().map(
  (reads): Action =>
    ({ rig }) =>
      reads ? rig.peer.resume() : rig.peer.pause(),
);
const wait = fc.nat(400).map(
  (ms): Action =>
    ({ rig }) =>
      rig.clock.advance(ms),
);
const action = fc.oneof(
  { arbitrary: say, weight: 12 },
  { arbitrary: answer, weight: 4 },
  { arbitrary: call, weight: 2 },
  { arbitrary: open, weight: 3 },
  { arbitrary: useStream, weight: 3 },
  { arbitrary: publish, weight: 3 },
  { arbitrary: finish, weight: 2 },
  { arbitrary: remove, weight: 1 },
  { arbitrary: readOrNot, weight: 1 },
  { arbitrary: wait, weight: 4 },
);

type End = 'close' | 'destroy' | 'hang up' | 'disconnect' | 'garbage';

async function finishScene({ rig, pending, makings }: Scene, end: End): Promise<void> {
  const { session, peer, clock } = rig;
  if (end === 'close') session.close();
  else if (end === 'destroy') session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'enough'));
  else if (end === 'hang up') peer.hangUp();
  else if (end === 'disconnect') peer.send({ type: MessageType.DISCONNECT, streamId: 3 });
  else peer.sendBytes('00');
  peer.resume();
  await clock.settle();
  // A peer that did not read may have kept the session from hearing of the end.
  await clock.advance(40_000);
  for (const made of makings) made('too late');
  await clock.settle();
  assert.equal(session.state, 'closed');
  assert.equal(rig.closes.length, 1);
  await Promise.all(pending);
  assert.equal(session.requestCount, 0);
  assert.equal(session.streamCount, 0);
  assert.equal(session.callCount, 0);
  assert.equal(clock.pending, 0, 'a timer was left behind');
}

async function scene(setup?: Parameters<typeof openServer>[0]): Promise<Scene> {
  const rig = await openServer(setup);
  const result = { rig, hosted: [], streams: [], pending: [], makings: [] };
  host(result);
  return result;
}

const anEnd = fc.constantFrom<End>('close', 'destroy', 'hang up', 'disconnect', 'garbage');

describe('A session with a peer that says anything in any order', () => {
  it('settles everything, throws nothing and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), anEnd, async (actions, end) => {
        const stage = await scene({
          options: {
            maxStreams: 4,
            maxPendingRequests: 5,
            maxConcurrentCalls: 3,
            maxQueuedSamples: 3,
            maxBufferedBytes: 500,
            handlerTimeoutMs: 1000,
          },
          memory: { windowBytes: 100, highWaterMark: 200 },
        });
        for (const act of actions) await act(stage);
        await finishScene(stage, end);
        for (const { streamCount } of stage.hosted) assert.equal(streamCount, 0);
      }),
      { numRuns: times(300) },
    );
  });
});

describe('A session with a peer that sends noise', () => {
  /** Headers that are right and bodies that are not, so that the noise gets past the framing. */
  const noise = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, body]) => {
      return Buffer.concat([Buffer.from([type, body.length]), body]);
    });
  const raw = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));

  it('ends or goes on, and leaves nothing behind', async () => {
    // A message of the peer could be taken for the rest of a piece of noise.
    const ending = fc.constantFrom<End>('close', 'destroy', 'hang up');
    const bytes = fc.oneof({ arbitrary: noise, weight: 9 }, { arbitrary: raw, weight: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 40 }), ending, async (chunks, end) => {
        const stage = await scene({ memory: { chunkBytes: 7 } });
        stage.pending.push(watch(stage.rig.session.call('r')));
        for (const chunk of chunks) {
          stage.rig.peer.sendBytes(chunk);
          await stage.rig.clock.advance(100);
        }
        await finishScene(stage, end);
      }),
      { numRuns: times(200) },
    );
  });

  it('ends before it is let in, without a word but ERROR', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(noise, raw), { minLength: 1, maxLength: 5 }), async (chunks) => {
        const rig = startServer({ hooks: { onConnect: () => Promise.reject(new Error('nobody')) } });
        rig.session.expectConnect(10_000);
        for (const chunk of chunks) rig.peer.sendBytes(chunk);
        await rig.clock.advance(10_000);
        assert.equal(rig.session.state, 'closed');
        assert.ok(rig.peer.messages.length <= 1);
        for (const { type } of rig.peer.messages) assert.equal(type, MessageType.ERROR);
        await rig.clock.advance(2_000);
        assert.equal(rig.clock.pending, 0);
      }),
      { numRuns: times(200) },
    );
  });
});
