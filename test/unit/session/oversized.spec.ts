import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { message, psonField, varintField } from '../support/raw-message';
import { endQuietly, openServer, rejectionCode, startServer, type Rig } from '../support/session-pair';

const { OK, ERROR, RUN, DESCRIBE, START_STREAM, STOP_STREAM, STREAM_DATA, KEEP_ALIVE, CONNECT } = MessageType;

const LARGE = 'x'.repeat(2000);
/** A payload with which the fields cannot be told apart: what is behind it is not found. */
const UNREADABLE = Buffer.concat([Buffer.from('1b', 'hex'), Buffer.alloc(2000)]);

function limited(): Promise<Rig> {
  return openServer({ options: { maxBodySize: 1000 } });
}

/** A message past the limit, with the payload before the id as Linux devices send it, or without an id that is found. */
function large(type: number, id?: number, resource?: string): Buffer {
  if (id === undefined) return message(type, UNREADABLE);
  return message(
    type,
    psonField(3, LARGE),
    ...(resource === undefined ? [] : [psonField(4, resource)]),
    varintField(1, id),
  );
}

describe('A message past the size limit', () => {
  for (const type of [OK, ERROR]) {
    it(`fails the request that it answers with 413, of type ${type}, and no other`, async () => {
      const rig = await limited();
      const first = rig.session.call('a');
      const second = rig.session.call('b');
      await rig.clock.settle();
      rig.peer.sendBytes(large(type, 1));
      await assert.rejects(first, { code: 'IOTMP_ERR_TOO_LARGE', statusCode: 413 });
      rig.peer.send({ type: OK, streamId: 2, payload: 'well' });
      assert.equal((await second).payload, 'well');
      assert.equal(rig.session.oversized, 1);
      assert.deepEqual(rig.warnings, ['a message of 2006 bytes was skipped: the limit is 1000']);
      await endQuietly(rig);
    });
  }

  it('fails all requests that wait where its id cannot be found, and later ones are answered', async () => {
    const rig = await limited();
    const waiting = [
      rig.session.call('a'),
      rig.session.describe(),
      rig.session.openStream('s', { onData: () => undefined }),
    ];
    await rig.clock.settle();
    rig.peer.sendBytes(large(OK));
    for (const one of waiting) await assert.rejects(one, { code: 'IOTMP_ERR_TOO_LARGE', statusCode: 413 });
    // The stream may have been opened.
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take().at(-1), { type: STOP_STREAM, streamId: 3 });
    const later = rig.session.call('a', { timeoutMs: 1000 });
    const late = rejectionCode(rig.session.call('b', { timeoutMs: 1000 }));
    rig.peer.send({ type: OK, streamId: 4, payload: 'well' });
    assert.equal((await later).payload, 'well');
    await rig.clock.advance(1000);
    assert.equal(await late, 'IOTMP_ERR_TIMEOUT');
    await endQuietly(rig);
  });

  for (const type of [RUN, DESCRIBE, START_STREAM, STOP_STREAM]) {
    it(`is answered with ERROR 413 where it is a request, of type ${type}`, async () => {
      const rig = await limited();
      rig.peer.sendBytes(large(type, 300, 'r'));
      rig.peer.sendBytes(large(type));
      await rig.clock.settle();
      const error = 'a message of 2010 bytes was skipped: the limit is 1000';
      assert.deepEqual(rig.peer.take(), [
        { type: ERROR, streamId: 300, parameters: 413, payload: { error } },
      ]);
      await endQuietly(rig);
    });
  }

  it('is counted where it is a sample, and the stream goes on', async () => {
    const rig = await limited();
    const samples: unknown[] = [];
    const opening = rig.session.openStream('s', { onData: (sample) => samples.push(sample) });
    rig.peer.send({ type: OK, streamId: 1 });
    await opening;
    rig.peer.sendBytes(large(STREAM_DATA, 1));
    rig.peer.sendBytes(large(STREAM_DATA));
    rig.peer.send({ type: STREAM_DATA, streamId: 1, payload: 'small' });
    await rig.clock.settle();
    assert.deepEqual(samples, ['small']);
    assert.equal(rig.session.oversized, 2);
    await endQuietly(rig);
  });

  it('ends a conversation that would lack a part, with the reason at both ends', async () => {
    const rig = await limited();
    const ends: unknown[] = [];
    const opening = rig.session.openStream(
      '$proxy/1',
      { onData: () => undefined, onClose: (reason) => ends.push(reason?.code) },
      { parameters: { port: 1 } },
    );
    rig.peer.send({ type: OK, streamId: 1 });
    await opening;
    rig.peer.take();
    rig.peer.sendBytes(large(STREAM_DATA, 1));
    await rig.clock.settle();
    assert.deepEqual(ends, ['IOTMP_ERR_TOO_LARGE']);
    const [stop] = rig.peer.messages;
    assert.deepEqual([stop?.type, stop?.streamId, stop?.parameters], [STOP_STREAM, 1, 413]);
    rig.peer.send({ type: OK, streamId: 1 });
    await rig.clock.settle();
    await endQuietly(rig);
  });

  it('breaks no rule, however many come, and shows that the peer lives', async () => {
    const rig = await limited();
    rig.session.keepAlive({ intervalMs: 1000, sends: false });
    for (let count = 0; count < 100; count++) {
      rig.peer.sendBytes(large(RUN, 7));
      await rig.clock.advance(100);
    }
    assert.equal(rig.session.state, 'open');
    assert.equal(rig.session.oversized, 100);
    // One that comes slowly, too.
    const slow = message(RUN, psonField(3, 'x'.repeat(100_000)), varintField(1, 8));
    for (let at = 0; at < slow.length; at += 5000) {
      rig.peer.sendBytes(slow.subarray(at, at + 5000));
      await rig.clock.advance(1000);
    }
    assert.equal(rig.session.state, 'open');
    rig.peer.take();
    rig.peer.send({ type: KEEP_ALIVE });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: KEEP_ALIVE }]);
    await endQuietly(rig);
  });

  it('ends the connection before the login, as ever', async () => {
    const rig = startServer({ options: { maxBodySize: 1000 } });
    rig.peer.sendBytes(large(CONNECT, 1));
    await rig.clock.settle();
    assert.equal(rig.session.state, 'closed');
    assert.equal(rig.closes[0]?.code, 'IOTMP_ERR_TOO_LARGE');
  });
});
