import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import { sessionOptions } from '../../../src/session/base/session-options';
import { endQuietly, openPair, openServer, type Rig } from '../support/session-pair';

const { OK, ERROR, RUN, START_STREAM, STOP_STREAM, STREAM_DATA, KEEP_ALIVE } = MessageType;

/** RUN of id 66 whose payload is broken. */
const BROKEN = '06 05 08 42 1a e3 85';

async function typesOf(rig: Rig): Promise<number[]> {
  await rig.clock.settle();
  return rig.peer.messages.splice(0).map(({ type }) => type);
}

describe('A message of an unknown type', () => {
  it('is skipped by its size, counted, and warned of once', async () => {
    const rig = await openServer();
    rig.peer.sendBytes('0b 00 0b 03 ff ff ff 7f 01 05 ac 02 02 00 00');
    rig.peer.send({ type: KEEP_ALIVE });
    assert.deepEqual(await typesOf(rig), [KEEP_ALIVE]);
    assert.equal(rig.session.inbox.skipped, 4);
    assert.deepEqual(rig.warnings, ['messages of unknown type 11 are skipped']);
    await endQuietly(rig);
  });
});

describe('A message that does not decode', () => {
  it('costs itself, with ERROR 400 where its id could be read', async () => {
    const rig = await openServer();
    rig.peer.sendBytes(BROKEN);
    rig.peer.send({ type: KEEP_ALIVE });
    await rig.clock.settle();
    const [answer, echo] = rig.peer.take() as Record<string, unknown>[];
    assert.deepEqual([answer?.type, answer?.streamId, answer?.parameters], [ERROR, 66, 400]);
    assert.deepEqual(echo, { type: KEEP_ALIVE });
    assert.equal(rig.warnings.length, 1);
    await endQuietly(rig);
  });

  it('is not answered where its id could not be read, or where it is itself an answer or data', async () => {
    const rig = await openServer();
    for (const bytes of ['06 02 1a e3', '01 04 08 42 1a e3', '02 04 08 42 1a e3', '0a 04 08 42 1a e3']) {
      rig.peer.sendBytes(bytes);
    }
    assert.deepEqual(await typesOf(rig), []);
    assert.equal(rig.session.state, 'open');
    await endQuietly(rig);
  });

  it('is refused for wire types of the past and the future', async () => {
    const rig = await openServer();
    for (const wireType of [1, 3, 4, 5, 6, 7]) {
      rig.peer.sendBytes(Buffer.from([0x06, 0x04, 0x08, 0x42, (3 << 3) | wireType, 0x00]));
    }
    assert.deepEqual(await typesOf(rig), Array(6).fill(ERROR));
    await endQuietly(rig);
  });

  it('is let pass nine times in a minute, and closes at the tenth', async () => {
    const rig = await openServer();
    for (let minute = 0; minute < 3; minute++) {
      for (let index = 0; index < 9; index++) rig.peer.sendBytes(BROKEN);
      assert.equal((await typesOf(rig)).length, 9);
      await rig.clock.advance(60_000);
    }
    for (let index = 0; index < 9; index++) rig.peer.sendBytes(BROKEN);
    await rig.clock.advance(59_999);
    assert.equal(rig.session.state, 'open');
    rig.peer.sendBytes(`${BROKEN} 05 00`);
    await rig.clock.settle();
    assert.equal(rig.session.state, 'closed');
    assert.equal(rig.closes[0]?.code, 'IOTMP_ERR_DECODE');
    assert.equal(rig.clock.pending, 0);
  });
});

describe('Bytes that are no messages', () => {
  it('close: a body of more than 64 MiB, before it arrives', async () => {
    const rig = await openServer({ options: { maxBodySize: 1000 } });
    rig.peer.sendBytes('06 80 80 80 20');
    await rig.clock.settle();
    assert.equal(rig.session.state, 'open');
    rig.session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'the test is over'));
  });

  it('close: a body of one byte more', async () => {
    const rig = await openServer({ options: { maxBodySize: 1000 } });
    rig.peer.sendBytes('06 81 80 80 20');
    await rig.clock.settle();
    assert.equal(rig.session.state, 'closed');
    assert.equal(rig.closes[0]?.code, 'IOTMP_ERR_TOO_LARGE');
    assert.equal(rig.clock.pending, 0);
  });

  it('close: type 0, and varints without an end', async () => {
    for (const bytes of [
      '00 00',
      '05 00 00',
      '06 ff ff ff ff ff ff ff ff ff ff 01',
      'ff ff ff ff ff ff ff ff ff ff 01',
    ]) {
      const rig = await openServer();
      rig.peer.sendBytes(bytes);
      await rig.clock.settle();
      assert.equal(rig.session.state, 'closed', bytes);
      assert.equal(rig.closes.length, 1);
      assert.match(rig.closes[0]?.code ?? '', /^IOTMP_ERR_(DECODE|PROTOCOL|TOO_LARGE)$/);
      assert.equal(rig.peer.ended, true);
      assert.equal(rig.clock.pending, 0);
    }
  });
});

describe('Strings that are not UTF-8', () => {
  it('are taken with a replacement, and counted', async () => {
    const rig = await openServer();
    const seen: unknown[] = [];
    rig.host.host('in', { kind: 'input', run: ({ payload }) => void seen.push(payload) });
    rig.peer.sendBytes('06 09 08 42 1a 82 ff fe 22 82 69 6e'.replace('06 09', '06 0a'));
    assert.deepEqual(await typesOf(rig), [OK]);
    assert.deepEqual(seen, ['\ufffd\ufffd']);
    assert.equal(rig.session.inbox.invalidTexts, 1);
    await endQuietly(rig);
  });
});

describe('A peer that gives cause for many warnings', () => {
  it('does not flood the log', async () => {
    const rig = await openServer();
    rig.host.host('in', { kind: 'input', run: () => assert.fail('boom') });
    rig.peer.send({ type: START_STREAM, streamId: 1, resource: 'in' });
    for (let index = 0; index < 1000; index++)
      rig.peer.send({ type: STREAM_DATA, streamId: 1, payload: index });
    await rig.clock.settle();
    assert.equal(rig.warnings.length, 10);
    assert.match(rig.warnings[9] ?? '', /more warnings/);
    await rig.clock.advance(60_000);
    rig.peer.send({ type: STREAM_DATA, streamId: 1 });
    await rig.clock.settle();
    assert.equal(rig.warnings.length, 12);
    assert.match(rig.warnings[10] ?? '', /^991 warnings of this kind were left out/);
    assert.match(rig.warnings[11] ?? '', /boom/);
    await endQuietly(rig);
  });
});

describe('The bytes of a connection', () => {
  it('may come one by one', async () => {
    const rig = await openServer({ memory: { chunkBytes: 1 } });
    rig.host.host('t', { kind: 'output', run: () => ({ temperature: 23.5 }) });
    rig.peer.send({ type: RUN, streamId: 1, resource: 't' }, { type: KEEP_ALIVE });
    assert.deepEqual(await typesOf(rig), [OK, KEEP_ALIVE]);
    await endQuietly(rig);
  });

  it('may come all in one chunk', async () => {
    const rig = await openServer();
    rig.host.host('t', { kind: 'output', run: () => 1 });
    const runs = Array.from({ length: 2000 }, (_, index) => ({
      type: RUN,
      streamId: index + 1,
      resource: 't',
    }));
    rig.peer.send(...runs);
    assert.deepEqual(await typesOf(rig), Array(2000).fill(OK));
    await endQuietly(rig);
  });

  it('are counted, with the messages', async () => {
    const rig = await openServer();
    const before = [
      rig.session.messagesIn,
      rig.session.bytesIn,
      rig.session.outbox.messages,
      rig.session.outbox.bytes,
    ];
    rig.peer.sendBytes('05 00 05 00 0b 01 00');
    await rig.clock.settle();
    const { messagesIn, bytesIn, outbox } = rig.session;
    const after = [messagesIn, bytesIn, outbox.messages, outbox.bytes];
    assert.deepEqual(
      after.map((value, index) => value - (before[index] ?? 0)),
      [3, 7, 2, 4],
    );
    await endQuietly(rig);
  });
});

describe('Devices that all begin with the same ids', () => {
  it('do not disturb each other', async () => {
    const first = await openServer();
    const second = await openServer({ clock: first.clock });
    const streams: number[] = [];
    const resource = first.host.host('event', {
      kind: 'input',
      run: () => undefined,
      open: ({ id, caller }) => void streams.push(id, Number(caller?.device)),
    });
    second.session.host.resolve = (name, parameters) => first.host.resolve(name, parameters);
    for (const [index, { peer, session }] of [first, second].entries()) {
      session.peer = { user: 'u', device: String(index) };
      peer.send({ type: START_STREAM, streamId: 9158, resource: 'event' });
    }
    await first.clock.settle();
    assert.deepEqual(streams, [9158, 0, 9158, 1]);
    first.peer.send({ type: STOP_STREAM, streamId: 9158 });
    await first.clock.settle();
    resource.publish('news');
    await first.clock.settle();
    assert.deepEqual(await typesOf(first), [OK, OK]);
    assert.deepEqual(await typesOf(second), [OK, STREAM_DATA]);
    await endQuietly(first);
    await endQuietly(second);
  });
});

describe('A device of an earlier connection', () => {
  it('has its stale answers and samples told from new ones', async () => {
    const rig = await openServer();
    const reply = rig.session.call('r');
    rig.peer.send(
      { type: OK, streamId: 42, payload: 'stale answer' },
      { type: STREAM_DATA, streamId: 43, payload: 'stale sample' },
      { type: STREAM_DATA, streamId: 43, payload: 'stale sample' },
      { type: STOP_STREAM, streamId: 44 },
      { type: OK, streamId: 1, payload: 'answer' },
    );
    assert.equal((await reply).payload, 'answer');
    await rig.clock.settle();
    const answers = rig.peer.messages.map(({ type, streamId }) => [type, streamId]);
    assert.deepEqual(answers, [
      [RUN, 1],
      [STOP_STREAM, 43],
      [ERROR, 44],
    ]);
    await endQuietly(rig);
  });
});

describe('Two sessions', () => {
  it('call, describe and stream in both directions at once', async () => {
    const { server, device, clock } = await openPair();
    const seen: unknown[] = [];
    for (const [end, name] of [
      [server, 'server'],
      [device, 'device'],
    ] as const) {
      end.host.host('who', { kind: 'output', run: () => name });
      end.host.host('in/:n', {
        kind: 'input',
        run: ({ payload, path }) => void seen.push([name, path, payload]),
      });
    }
    for (const { session } of [server, device]) {
      const other = session === server.session ? 'device' : 'server';
      const replies = await Promise.all([
        session.call('who'),
        session.call(['in', '4'], { payload: 1 }),
        session.describe('who'),
        session.describe(),
      ]);
      assert.deepEqual(
        replies.map(({ payload }) => payload),
        [other, undefined, { out: other }, { who: { fn: 3 }, 'in/:n': { fn: 2 } }],
      );
    }
    assert.deepEqual(seen.splice(0), [
      ['device', 'in/4', 1],
      ['server', 'in/4', 1],
    ]);

    const samples: unknown[] = [];
    const streams = await Promise.all(
      [server, device].map(({ session }) =>
        session.openStream(
          'who',
          { onData: (payload) => samples.push(payload) },
          { parameters: { interval: 1000 } },
        ),
      ),
    );
    await clock.advance(2000);
    assert.deepEqual(samples.sort(), ['device', 'device', 'device', 'server', 'server', 'server']);
    await Promise.all(streams.map((stream) => stream.stop()));
    assert.equal(server.session.streamCount + device.session.streamCount, 0);
    assert.equal(server.session.requestCount + device.session.requestCount, 0);
    server.session.close();
    await clock.settle();
    assert.equal(device.session.state, 'closed');
    assert.equal(clock.pending, 0);
    assert.deepEqual([...server.warnings, ...device.warnings], []);
  });
});

describe('sessionOptions', () => {
  it('fills in the defaults', () => {
    const options = sessionOptions({ requestTimeoutMs: 5 });
    assert.equal(options.requestTimeoutMs, 5);
    assert.equal(options.maxBodySize, 262_144);
    assert.equal(Object.isFrozen(options), true);
  });

  it('refuses what is no positive whole number, by its name', () => {
    for (const value of [0, -1, 1.5, Number.NaN, Infinity]) {
      assert.throws(() => sessionOptions({ maxDepth: value }), {
        code: 'IOTMP_ERR_CONFIG',
        message: /maxDepth/,
      });
    }
  });
});
