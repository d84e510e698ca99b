import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { RemoteError } from '../../../src/errors';
import { IdSequence } from '../../../src/session/requests/id-sequence';
import {
  endQuietly,
  openServer,
  rejectionCode,
  startServer,
  CONNECT,
  type Rig,
} from '../support/session-pair';
import type { Reply } from '../../../src/session/requests/reply';

const { OK, ERROR, RUN, DESCRIBE } = MessageType;

/** Calls a resource and lets the peer answer. */
async function answered(rig: Rig, answer: object): Promise<Reply> {
  const reply = rig.session.call('r');
  await rig.clock.settle();
  rig.peer.send({ type: OK, streamId: lastId(rig), ...answer });
  return reply;
}

function lastId({ peer }: Rig): number {
  return peer.messages.at(-1)?.streamId ?? assert.fail('nothing arrived');
}

describe('A request', () => {
  it('carries resource, parameters and payload, and gives the answer', async () => {
    const rig = await openServer();
    const reply = rig.session.call('gpio/4', { payload: { on: true }, parameters: { fast: 1 } });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: RUN, streamId: 1, parameters: { fast: 1 }, payload: { on: true }, resource: 'gpio/4' },
    ]);
    rig.peer.send({ type: OK, streamId: 1, payload: 21.5 });
    assert.deepEqual(await reply, { payload: 21.5, statusCode: 200, parameters: undefined });
    await endQuietly(rig);
  });

  it('sends a number as resource, and no payload where there is none', async () => {
    const rig = await openServer();
    const reply = rig.session.call(0xa935);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: RUN, streamId: 1, resource: 0xa935 }]);
    rig.peer.send({ type: OK, streamId: 1 });
    assert.equal((await reply).payload, undefined);
    await endQuietly(rig);
  });

  it('describes everything, or one resource', async () => {
    const rig = await openServer();
    const all = rig.session.describe();
    const one = rig.session.describe('led');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: DESCRIBE, streamId: 1 },
      { type: DESCRIBE, streamId: 2, resource: 'led' },
    ]);
    rig.peer.send({ type: OK, streamId: 2, payload: { in: false } }, { type: OK, streamId: 1, payload: {} });
    assert.deepEqual((await all).payload, {});
    assert.deepEqual((await one).payload, { in: false });
    await endQuietly(rig);
  });

  it('gives the code of an OK', async () => {
    const rig = await openServer();
    const reply = await answered(rig, { parameters: 202, payload: 'later' });
    assert.deepEqual(reply, { payload: 'later', statusCode: 202, parameters: 202 });
    await endQuietly(rig);
  });

  it('gives parameters that are no code as they came', async () => {
    const rig = await openServer();
    const chunks = { chunk_size: 65536 };
    const reply = await answered(rig, { parameters: chunks, payload: chunks });
    assert.deepEqual(reply, { payload: chunks, statusCode: 200, parameters: chunks });
    for (const parameters of [Number.NaN, 404.5, 2n ** 63n]) {
      assert.equal((await answered(rig, { parameters })).statusCode, 200);
    }
    await endQuietly(rig);
  });

  it('takes an OK with a code of 400 or more for the failure that it is', async () => {
    const rig = await openServer();
    await assert.rejects(answered(rig, { parameters: 400 }), { code: 'IOTMP_ERR_REMOTE', statusCode: 400 });
    await assert.rejects(answered(rig, { parameters: 404, payload: { error: 'Success' } }), {
      message: 'Success',
      statusCode: 404,
      payload: { error: 'Success' },
    });
    await endQuietly(rig);
  });

  it('gives the text and the code of an ERROR', async () => {
    const rig = await openServer();
    const failure = (answer: object): Promise<RemoteError> =>
      answered(rig, { type: ERROR, ...answer }).then(
        () => assert.fail('no rejection'),
        (error: unknown) => (error instanceof RemoteError ? error : assert.fail(String(error))),
      );
    const tooLarge = await failure({ parameters: 413, payload: { error: 'file too large', size: 70000 } });
    assert.equal(tooLarge.message, 'file too large');
    assert.equal(tooLarge.statusCode, 413);
    assert.deepEqual(tooLarge.payload, { error: 'file too large', size: 70000 });
    assert.equal(
      (await failure({ payload: { message: 'Connection refused' } })).message,
      'Connection refused',
    );
    const bare = await failure({});
    assert.equal(bare.statusCode, 500);
    assert.match(bare.message, /no reason: it may have no such resource/);
    assert.equal(bare.payload, undefined);
    assert.match((await failure({ parameters: 7 })).message, /error \(7\)$/);
    assert.match((await failure({ payload: { error: 5 } })).message, /error/);
    assert.match((await failure({ payload: null })).message, /error/);
    await endQuietly(rig);
  });

  it('takes answers in any order, each for its own', async () => {
    const rig = await openServer();
    const replies = [1, 2, 3].map((number) => rig.session.call(`r${number}`));
    await rig.clock.settle();
    for (const streamId of [3, 1, 2]) rig.peer.send({ type: OK, streamId, payload: `for ${streamId}` });
    const payloads = (await Promise.all(replies)).map(({ payload }) => payload);
    assert.deepEqual(payloads, ['for 1', 'for 2', 'for 3']);
    await endQuietly(rig);
  });

  it('ignores answers that nobody waits for', async () => {
    const rig = await openServer();
    const reply = rig.session.call('r');
    rig.peer.send(
      { type: OK, streamId: 42, payload: 'stale' },
      { type: ERROR, streamId: 43 },
      { type: OK },
      { type: ERROR, streamId: 0 },
      { type: OK, streamId: 1, payload: 'right' },
      { type: OK, streamId: 1, payload: 'twice' },
    );
    assert.equal((await reply).payload, 'right');
    assert.equal(rig.session.state, 'open');
    assert.deepEqual(rig.warnings, []);
    await endQuietly(rig);
  });

  it('times out, and ignores the answer that comes later', async () => {
    const rig = await openServer({ options: { requestTimeoutMs: 3000 } });
    const reply = rejectionCode(rig.session.call('r'));
    const patient = rig.session.call('s', { timeoutMs: 5000 });
    await rig.clock.advance(2999);
    assert.equal(rig.session.requestCount, 2);
    await rig.clock.advance(1);
    assert.equal(await reply, 'IOTMP_ERR_TIMEOUT');
    rig.peer.send({ type: OK, streamId: 1, payload: 'late' }, { type: OK, streamId: 2, payload: 'in time' });
    assert.equal((await patient).payload, 'in time');
    assert.equal(rig.session.requestCount, 0);
    await endQuietly(rig);
  });

  it('shares one timer with all others, which rings no more when nothing waits', async () => {
    const rig = await openServer({ options: { requestTimeoutMs: 3000 } });
    const answered = Array.from({ length: 10 }, () => rig.session.call('r'));
    assert.equal(rig.clock.pending, 1);
    for (let streamId = 1; streamId <= 10; streamId++) rig.peer.send({ type: OK, streamId });
    await Promise.all(answered);
    await rig.clock.advance(2000);
    const late = rejectionCode(rig.session.call('r'));
    const urgent = rejectionCode(rig.session.call('r', { timeoutMs: 10 }));
    await rig.clock.advance(10);
    assert.equal(await urgent, 'IOTMP_ERR_TIMEOUT');
    await rig.clock.advance(2989);
    assert.equal(rig.session.requestCount, 1);
    await rig.clock.advance(1);
    assert.equal(await late, 'IOTMP_ERR_TIMEOUT');
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });

  it('is given up by an AbortSignal, before it is sent or after', async () => {
    const rig = await openServer();
    assert.equal(
      await rejectionCode(rig.session.call('r', { signal: AbortSignal.abort() })),
      'IOTMP_ERR_ABORTED',
    );
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);

    const caller = new AbortController();
    const reply = rejectionCode(rig.session.call('r', { signal: caller.signal }));
    await rig.clock.settle();
    caller.abort();
    assert.equal(await reply, 'IOTMP_ERR_ABORTED');
    assert.equal(rig.session.requestCount, 0);
    rig.peer.send({ type: OK, streamId: lastId(rig) });
    await endQuietly(rig);
  });

  it('is not touched by a signal that comes after the answer', async () => {
    const rig = await openServer();
    const caller = new AbortController();
    const first = rig.session.call('r', { signal: caller.signal });
    rig.peer.send({ type: OK, streamId: 1, payload: 1 });
    assert.equal((await first).payload, 1);
    caller.abort();
    rig.session.ids = new IdSequence();
    const second = rig.session.call('r');
    rig.peer.send({ type: OK, streamId: 1, payload: 2 });
    assert.equal((await second).payload, 2);
    await endQuietly(rig);
  });

  it('is refused here when it cannot be sent, and leaves nothing behind', async () => {
    const rig = await openServer({ options: { peerMaxBodySize: 100 } });
    assert.equal(await rejectionCode(rig.session.call('r', { payload: () => 1 })), 'IOTMP_ERR_ENCODE');
    assert.equal(
      await rejectionCode(rig.session.call('r', { payload: 'x'.repeat(100) })),
      'IOTMP_ERR_TOO_LARGE',
    );
    assert.equal(rig.session.requestCount, 0);
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });

  it('is refused when too many wait', async () => {
    const rig = await openServer({ options: { maxPendingRequests: 2 } });
    const first = rig.session.call('a');
    const second = rejectionCode(rig.session.call('b'));
    assert.equal(await rejectionCode(rig.session.call('c')), 'IOTMP_ERR_BUSY');
    rig.peer.send({ type: OK, streamId: 1 });
    await first;
    const third = rejectionCode(rig.session.call('d'));
    await endQuietly(rig);
    assert.deepEqual(await Promise.all([second, third]), ['IOTMP_ERR_CLOSED', 'IOTMP_ERR_CLOSED']);
  });

  it('is refused before the session is open, and after its end', async () => {
    const rig = startServer();
    assert.equal(await rejectionCode(rig.session.call('r')), 'IOTMP_ERR_CLOSED');
    rig.peer.send(CONNECT);
    await rig.clock.settle();
    await endQuietly(rig);
    assert.equal(await rejectionCode(rig.session.call('r')), 'IOTMP_ERR_CLOSED');
    assert.equal(await rejectionCode(rig.session.describe()), 'IOTMP_ERR_CLOSED');
    const opening = rig.session.openStream('r', { onData: () => undefined });
    assert.equal(await rejectionCode(opening), 'IOTMP_ERR_CLOSED');
    assert.equal(rig.clock.pending, 0);
  });
});

describe('The ids of requests', () => {
  it('wrap at 65535 and leave out those that are in use', async () => {
    const rig = await openServer();
    rig.host.host('out', { kind: 'output', run: () => 1 });
    rig.peer.send({ type: MessageType.START_STREAM, streamId: 1, resource: 'out' });
    await rig.clock.settle();
    const waiting = rejectionCode(rig.session.call('waits'));
    await rig.clock.settle();
    assert.equal(lastIdOf(rig, RUN), 2);
    rig.session.ids = new IdSequence(65534);
    const others = [rig.session.call('a'), rig.session.call('b'), rig.session.call('c')].map(rejectionCode);
    await rig.clock.settle();
    const ids = rig.peer.messages.filter(({ type }) => type === RUN).map(({ streamId }) => streamId);
    assert.deepEqual(ids, [2, 65535, 3, 4]);
    await endQuietly(rig);
    await Promise.all([waiting, ...others]);
  });

  it('run on over the connections of a device, so that stale answers meet no new request', async () => {
    const ids = new IdSequence();
    const first = await openServer();
    first.session.ids = ids;
    const lost = rejectionCode(first.session.call('r'));
    await endQuietly(first);
    assert.equal(await lost, 'IOTMP_ERR_CLOSED');

    const second = await openServer();
    second.session.ids = ids;
    const reply = second.session.call('r');
    second.peer.send({ type: OK, streamId: 1, payload: 'stale' }, { type: OK, streamId: 2, payload: 'new' });
    assert.equal((await reply).payload, 'new');
    await endQuietly(second);
  });
});

function lastIdOf({ peer }: Rig, type: number): number | undefined {
  return peer.messages.findLast((message) => message.type === type)?.streamId;
}
