import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import type { IotmpError } from '../../../src/errors';
import type { SessionOptions } from '../../../src/session/base/session-options';
import type { ResourceStream } from '../../../src/session/hosting/resource';
import type { SessionStream, StreamOptions } from '../../../src/session/streams/session-stream';
import { streamKind } from '../../../src/session/streams/stream-kind';
import { endQuietly, openPair, openServer, rejectionCode, type Rig } from '../support/session-pair';

const { OK, RUN, START_STREAM, STOP_STREAM, STREAM_DATA, DISCONNECT } = MessageType;

const NAME = '$proxy/1';
const STARTED = { type: START_STREAM, streamId: 1, resource: NAME };

/** An open conversation, and what its reader heard. */
interface Conversation extends Rig {
  readonly stream: SessionStream;
  readonly heard: unknown[];
  /** `drain`, and the code of each end. */
  readonly told: string[];
}

/** A server's conversation with a peer that takes 100 bytes before it reads on, of which 1000 bytes may wait. */
async function conversation(
  options: StreamOptions = {},
  session: Partial<SessionOptions> = {},
): Promise<Conversation> {
  const rig = await openServer({
    options: { maxConversationBytes: 1000, ...session },
    memory: { windowBytes: 64, highWaterMark: 100 },
  });
  const heard: unknown[] = [];
  const told: string[] = [];
  const opening = rig.session.openStream(
    NAME,
    {
      onData: (payload) => void heard.push(payload),
      onDrain: () => void told.push('drain'),
      onClose: (reason) => void told.push(reason === undefined ? 'stopped' : codeOf(reason)),
    },
    options,
  );
  await rig.clock.settle();
  rig.peer.take();
  rig.peer.send({ type: OK, streamId: 1 });
  return Object.assign(rig, { stream: await opening, heard, told });
}

function codeOf({ code }: IotmpError): string {
  return code;
}

const piece = (index: number): Buffer => Buffer.alloc(100, index);
const data = (payload: unknown): { type: number; streamId: number; payload: unknown } => ({
  type: STREAM_DATA,
  streamId: 1,
  payload,
});

/** What the peer of a rig received in the stream. */
function received({ peer }: Rig): unknown[] {
  return peer.messages.filter(({ type }) => type === STREAM_DATA).map(({ payload }) => payload);
}

describe('The kind of a stream', () => {
  it('is decided by resource and parameters', () => {
    for (const parameters of [undefined, null, 5, {}, { interval: 5 }]) {
      assert.equal(streamKind('temp', parameters), 'samples');
      assert.equal(streamKind(['a', 'b'], parameters), 'samples');
      assert.equal(streamKind('$terminal/1', parameters), 'conversation');
      assert.equal(streamKind(['$cmd', '1'], parameters), 'conversation');
      assert.equal(streamKind(8, parameters), 'messages');
    }
    for (const parameters of ['x', [], { cols: 80 }, { interval: 5, unit: 'C' }, Buffer.from('x')]) {
      assert.equal(streamKind('temp', parameters), 'conversation');
    }
  });

  it('is told by the stream, and may be another one on request', async () => {
    assert.equal((await conversation()).stream.kind, 'conversation');
    assert.equal((await conversation({ kind: 'samples' })).stream.kind, 'samples');
  });
});

describe('What is written into a conversation', () => {
  it('waits for a slow peer without loss, in order, and the writer is told when to stop and to go on', async () => {
    const rig = await conversation();
    rig.peer.pause();
    const written = Array.from({ length: 18 }, (_, index) => piece(index));
    const answers = written.map((one) => rig.stream.write(one));
    assert.equal(answers[0], true);
    assert.equal(answers.at(-1), false);
    const firstStop = answers.indexOf(false);
    assert.ok(firstStop > 4 && firstStop < 10, `stopped after ${firstStop}`);
    assert.deepEqual(rig.told, []);
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(received(rig), written);
    assert.deepEqual(rig.told, ['drain']);
    assert.equal(rig.stream.dropped, 0);
    assert.equal(rig.session.samplesDropped, 0);
    await endQuietly(rig);
  });

  it('is not overtaken by what the writer adds when it is told to go on', async () => {
    const rig = await openServer({
      options: { maxConversationBytes: 1000 },
      memory: { windowBytes: 64, highWaterMark: 100 },
    });
    let next = 0;
    const write = (): void => {
      while (next < 200 && stream.write(next++));
    };
    const opening = rig.session.openStream(NAME, { onData: () => undefined, onDrain: write });
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.pause();
    write();
    assert.ok(next < 100);
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(
      received(rig),
      Array.from({ length: 200 }, (_, index) => index),
    );
    await endQuietly(rig);
  });

  it('ends the conversation, and not the connection, when four times as much waits', async () => {
    const rig = await conversation();
    rig.peer.pause();
    let written = 0;
    assert.throws(
      () => {
        for (; written < 1000; written++) rig.stream.write(piece(written));
      },
      { code: 'IOTMP_ERR_BUSY' },
    );
    assert.ok(written > 20 && written < 40, `${written} pieces were held`);
    assert.equal(rig.session.conversationsFailed, 1);
    assert.deepEqual(rig.told, ['IOTMP_ERR_BUSY']);
    assert.equal(rig.stream.closed, true);
    assert.throws(() => rig.stream.write(piece(1)), { code: 'IOTMP_ERR_CLOSED' });
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take().at(-1), {
      type: STOP_STREAM,
      streamId: 1,
      parameters: 503,
      payload: { error: 'too much waits for a peer that is too slow' },
    });
    rig.peer.send({ type: OK, streamId: 1 });
    await rig.clock.settle();
    assert.equal(rig.session.state, 'open');
    await endQuietly(rig);
  });

  it('arrives before the stop of the writer', async () => {
    const rig = await conversation();
    rig.peer.pause();
    for (let index = 0; index < 8; index++) rig.stream.write(piece(index));
    const stopping = rig.stream.stop();
    assert.throws(() => rig.stream.write('late'), { code: 'IOTMP_ERR_CLOSED' });
    rig.peer.resume();
    await rig.clock.settle();
    assert.equal(received(rig).length, 8);
    assert.deepEqual(rig.peer.take().at(-1), { type: STOP_STREAM, streamId: 1 });
    rig.peer.send({ type: OK, streamId: 1 });
    await stopping;
    assert.deepEqual(rig.told, ['stopped']);
    await endQuietly(rig);
  });

  it('is let go, and the stop settles, when the peer or the connection ends first', async () => {
    for (const end of [
      ({ peer }: Rig) => peer.send({ type: STOP_STREAM, streamId: 1 }),
      ({ peer }: Rig) => peer.send({ type: DISCONNECT }),
    ]) {
      const rig = await conversation();
      rig.peer.pause();
      for (let index = 0; index < 8; index++) rig.stream.write(piece(index));
      const stopping = rig.stream.stop();
      end(rig);
      await stopping;
      assert.equal(rig.session.streamCount, 0);
      rig.peer.resume();
      await endQuietly(rig);
    }
  });

  it('takes nothing from the room of the samples of others', async () => {
    const rig = await conversation({}, { maxBufferedBytes: 200 });
    const resource = rig.host.host('r', { kind: 'input', run: () => undefined });
    rig.peer.send({ type: START_STREAM, streamId: 50, resource: 'r' });
    await rig.clock.settle();
    rig.peer.pause();
    for (let index = 0; index < 10; index++) rig.stream.write(piece(index));
    for (let index = 0; index < 10; index++) resource.publish('x'.repeat(100));
    rig.peer.resume();
    await rig.clock.settle();
    const own = rig.peer.messages.filter(({ type, streamId }) => type === STREAM_DATA && streamId === 1);
    const samples = rig.peer.messages.filter(({ type, streamId }) => type === STREAM_DATA && streamId === 50);
    assert.equal(own.length, 10);
    assert.ok(samples.length >= 6 && samples.length < 10, `${samples.length} samples`);
    assert.equal(rig.session.samplesDropped, 10 - samples.length);
    await endQuietly(rig);
  });
});

describe('What a conversation receives', () => {
  it('waits for a reader that pauses, and comes in order', async () => {
    const rig = await conversation({ paused: true });
    rig.peer.send(...[1, 2, 3].map(data));
    await rig.clock.settle();
    assert.deepEqual(rig.heard, []);
    rig.stream.resume();
    assert.deepEqual(rig.heard, [1, 2, 3]);
    rig.peer.send(data(4));
    await rig.clock.settle();
    rig.stream.pause();
    rig.peer.send(data(5));
    await rig.clock.settle();
    assert.deepEqual(rig.heard, [1, 2, 3, 4]);
    rig.stream.resume();
    assert.deepEqual(rig.heard, [1, 2, 3, 4, 5]);
    await endQuietly(rig);
  });

  it('outlives a reader that throws', async () => {
    const rig = await openServer();
    const heard: unknown[] = [];
    const opening = rig.session.openStream(
      NAME,
      {
        onData(payload) {
          heard.push(payload);
          throw new Error('in onData');
        },
      },
      { paused: true },
    );
    rig.peer.send({ type: OK, streamId: 1 }, data(1), data(2));
    const stream = await opening;
    await rig.clock.settle();
    stream.resume();
    assert.deepEqual(heard, [1, 2]);
    assert.equal(rig.warnings.length, 2);
    await endQuietly(rig);
  });

  it('stops the peer, and not for long, while too much waits', async () => {
    const rig = await conversation({ paused: true });
    // In one chunk: the rest of it waits with the decoder, and comes while the reader takes what waits.
    rig.peer.send(...Array.from({ length: 8 }, (_, index) => data(piece(index))));
    rig.peer.send(...Array.from({ length: 8 }, (_, index) => data(piece(8 + index))));
    await rig.clock.settle();
    assert.equal(rig.session.reading.closed, true);
    const before = rig.session.messagesIn;
    rig.peer.send({ type: MessageType.KEEP_ALIVE });
    await rig.clock.advance(1900);
    assert.equal(rig.session.messagesIn, before);
    await rig.clock.advance(200);
    assert.ok(rig.session.messagesIn > before, 'the peer was stopped for more than 2 s');
    rig.stream.resume();
    await rig.clock.settle();
    assert.deepEqual(
      rig.heard,
      Array.from({ length: 16 }, (_, index) => piece(index)),
    );
    assert.equal(rig.session.reading.closed, false);
    await endQuietly(rig);
  });

  it('is not overtaken by the rest of the chunk, which comes while the reader takes what waits', async () => {
    const rig = await openServer({ options: { maxConversationBytes: 1000 } });
    const heard: unknown[] = [];
    const listener = { onData: (payload: unknown) => void heard.push(payload) };
    const opening = rig.session.openStream(NAME, listener, { paused: true });
    rig.peer.send({ type: OK, streamId: 1 }, data('x'.repeat(1200)), data(1), data(2));
    const stream = await opening;
    assert.equal(rig.session.reading.closed, true);
    stream.resume();
    assert.deepEqual(heard, ['x'.repeat(1200), 1, 2]);
    await endQuietly(rig);
  });

  it('does not keep a request of this end waiting', async () => {
    const rig = await conversation({ paused: true });
    for (let index = 0; index < 8; index++) rig.peer.send(data(piece(index)));
    await rig.clock.settle();
    const call = rig.session.call('r');
    rig.peer.send({ type: OK, streamId: 2, payload: 'answer' });
    await rig.clock.advance(1500);
    assert.equal((await call).payload, 'answer');
    await endQuietly(rig);
  });

  it('ends the conversation at both ends, and not the connection, when four times as much waits', async () => {
    const rig = await conversation({ paused: true });
    for (let index = 0; index < 60; index++) rig.peer.send(data(piece(index)));
    await rig.clock.advance(3000);
    assert.deepEqual(rig.told, ['IOTMP_ERR_BUSY']);
    assert.deepEqual(rig.peer.take().at(-1), {
      type: STOP_STREAM,
      streamId: 1,
      parameters: 503,
      payload: { error: 'too much waits for a reader that is too slow' },
    });
    rig.peer.send({ type: OK, streamId: 1 });
    await rig.clock.settle();
    assert.equal(rig.session.state, 'open');
    assert.equal(rig.session.reading.closed, false);
    assert.equal(rig.session.conversationsFailed, 1);
    rig.stream.resume();
    assert.deepEqual(rig.heard, []);
    await endQuietly(rig);
  });

  it('comes before the end, which tells who ended it', async () => {
    const ends: [Parameters<Rig['peer']['send']>[0] | undefined, string][] = [
      [{ type: STOP_STREAM, streamId: 1 }, 'IOTMP_ERR_CLOSED'],
      [{ type: STOP_STREAM, streamId: 1, parameters: 507, payload: { error: 'full' } }, 'IOTMP_ERR_REMOTE'],
      [{ type: DISCONNECT }, 'IOTMP_ERR_OFFLINE'],
      [undefined, 'IOTMP_ERR_OFFLINE'],
    ];
    for (const [message, code] of ends) {
      const rig = await conversation({ paused: true });
      rig.peer.send(data(1), data(2));
      await rig.clock.settle();
      if (message === undefined) rig.session.transport.destroy();
      else rig.peer.send(message);
      await rig.clock.settle();
      assert.equal(rig.stream.closed, true);
      assert.deepEqual(rig.told, []);
      rig.stream.resume();
      assert.deepEqual(rig.heard, [1, 2]);
      assert.deepEqual(rig.told, [code]);
      await endQuietly(rig);
    }
  });

  it('is let go when the reader ends it', async () => {
    const rig = await conversation({ paused: true });
    rig.peer.send(data(1), { type: STOP_STREAM, streamId: 1 });
    await rig.clock.settle();
    await rig.stream.stop();
    assert.deepEqual(rig.told, ['stopped']);
    rig.stream.resume();
    assert.deepEqual(rig.heard, []);
    await endQuietly(rig);
  });

  it('is not lost when the peer opens, speaks and ends in one breath', async () => {
    const rig = await openServer();
    const told: unknown[] = [];
    const opening = rig.session.openStream(NAME, {
      onData: (payload) => void told.push(payload),
      onClose: (reason) => void told.push(reason?.code),
    });
    rig.peer.send({ type: OK, streamId: 1 }, data('out'), { type: STOP_STREAM, streamId: 1 });
    const stream = await opening;
    assert.equal(stream.closed, true);
    assert.deepEqual(told, ['out', 'IOTMP_ERR_CLOSED']);
    await endQuietly(rig);
  });
});

describe('The name of a session', () => {
  it('belongs to whoever has it open', async () => {
    const rig = await conversation();
    for (const name of [NAME, ['$proxy', '1']]) {
      await assert.rejects(rig.session.openStream(name, { onData: () => undefined }), {
        code: 'IOTMP_ERR_CONFLICT',
        statusCode: 409,
        message: 'the session $proxy/1 is in use',
      });
    }
    const other = rejectionCode(rig.session.openStream('$proxy/2', { onData: () => undefined }));
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ ...STARTED, streamId: 2, resource: '$proxy/2' }]);
    await endQuietly(rig);
    assert.equal(await other, 'IOTMP_ERR_CLOSED');
  });

  it('is free as soon as it is being stopped', async () => {
    const rig = await conversation();
    const stopping = rig.stream.stop();
    const again = rig.session.openStream(NAME, { onData: () => undefined });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: STOP_STREAM, streamId: 1 },
      { ...STARTED, streamId: 2 },
    ]);
    rig.peer.send({ type: OK, streamId: 1 }, { type: OK, streamId: 2 });
    await Promise.all([stopping, again]);
    await endQuietly(rig);
  });

  it('does not bind plain resources with parameters', async () => {
    const rig = await openServer();
    const open = (): Promise<string> =>
      rejectionCode(rig.session.openStream('camera', { onData: () => undefined }, { parameters: { q: 1 } }));
    const both = [open(), open()];
    rig.peer.send({ type: OK, streamId: 1 }, { type: OK, streamId: 2 });
    assert.deepEqual(await Promise.all(both), ['no rejection', 'no rejection']);
    await endQuietly(rig);
  });
});

describe('A conversation with a hosted resource', () => {
  it('loses nothing in either direction, and ends behind what was written', async () => {
    const pair = await openPair({
      options: { maxConversationBytes: 1000 },
      memory: { windowBytes: 64, highWaterMark: 100 },
    });
    const hosted: ResourceStream[] = [];
    const got: unknown[] = [];
    pair.device.host.host('$proxy/:session', {
      kind: 'inout',
      run: () => undefined,
      async open(stream) {
        hosted.push(stream);
        stream.onData = (payload) => void got.push(payload);
        await pair.clock.settle();
      },
    });
    const heard: unknown[] = [];
    const ends: (string | undefined)[] = [];
    const stream = await pair.server.session.openStream(
      NAME,
      { onData: (payload) => void heard.push(payload), onClose: (reason) => void ends.push(reason?.code) },
      { paused: true },
    );
    const [far] = hosted;
    assert.ok(far !== undefined);
    far.pause();
    for (let index = 0; index < 8; index++) {
      stream.write(piece(index));
      far.write(piece(index));
    }
    far.close();
    assert.equal(far.write('late'), false);
    await pair.clock.settle();
    assert.deepEqual([got, heard], [[], []]);
    stream.resume();
    await pair.clock.settle();
    assert.equal(heard.length, 8);
    assert.deepEqual(ends, ['IOTMP_ERR_CLOSED']);
    pair.server.session.close();
    await pair.clock.settle();
    assert.equal(pair.clock.pending, 0);
  });

  it('gives what was sent before its end to the resource, which hears why', async () => {
    const pair = await openPair();
    let far: ResourceStream | undefined;
    const got: unknown[] = [];
    pair.device.host.host('$proxy/:session', {
      kind: 'inout',
      run: () => undefined,
      open(stream) {
        far = stream;
        stream.onData = (payload) => void got.push(payload);
        stream.onClose = (reason) => void got.push(reason?.code);
        stream.pause();
      },
    });
    const stream = await pair.server.session.openStream(NAME, { onData: () => undefined });
    far?.pause();
    stream.write(1);
    stream.write(2);
    await stream.stop();
    assert.deepEqual(got, []);
    far?.resume();
    assert.deepEqual(got, [1, 2, undefined]);
    const again = await pair.server.session.openStream(NAME, { onData: () => undefined });
    again.write(3);
    await pair.clock.settle();
    pair.server.session.close();
    await pair.clock.settle();
    assert.deepEqual(got.slice(3), [3, 'IOTMP_ERR_OFFLINE']);
    assert.equal(pair.clock.pending, 0);
  });

  it('makes no samples for which there is no room', async () => {
    const rig = await openServer({
      options: { maxConversationBytes: 300 },
      memory: { windowBytes: 64, highWaterMark: 100 },
    });
    let made = 0;
    rig.host.host('r', { kind: 'output', run: () => `${made++}`.padEnd(50) });
    rig.peer.send({
      type: START_STREAM,
      streamId: 5,
      resource: 'r',
      parameters: { interval: 100, unit: 'C' },
    });
    await rig.clock.settle();
    rig.peer.pause();
    await rig.clock.advance(5000);
    assert.ok(made < 15, `${made} samples were made for a peer that does not read`);
    rig.peer.send({ type: RUN, streamId: 6, resource: 'r' });
    rig.peer.resume();
    await rig.clock.settle();
    assert.equal(rig.session.state, 'open');
    await endQuietly(rig);
  });
});
