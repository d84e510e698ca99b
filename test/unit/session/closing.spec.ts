import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import type { ResourceDefinition } from '../../../src/session/hosting/resource';
import {
  endQuietly,
  openClient,
  openPair,
  openServer,
  rejectionCode,
  type Rig,
} from '../support/session-pair';

const { OK, DISCONNECT, RUN, START_STREAM, STREAM_DATA } = MessageType;
const gone = new IotmpError('IOTMP_ERR_CONFLICT', 'the device connected again');

/** A session with something of everything under way: what of it is pending is in the list. */
async function busy(): Promise<{
  rig: Rig;
  pending: Promise<string>[];
  ends: string[];
  signals: AbortSignal[];
}> {
  const rig = await openServer();
  const ends: string[] = [];
  const signals: AbortSignal[] = [];
  rig.session.keepAlive({ intervalMs: 60_000, sends: true });
  rig.host.host('slow', {
    kind: 'output',
    run(call) {
      signals.push(call.signal);
      return new Promise(() => undefined);
    },
  });
  const listener = (name: string): { onData: () => void; onClose: (reason?: IotmpError) => void } => ({
    onData: () => undefined,
    onClose: (reason) => ends.push(`${name} ${reason?.code ?? 'stopped'}`),
  });
  const open = rig.session.openStream('open', listener('open'));
  rig.peer.send(
    { type: OK, streamId: 1 },
    { type: RUN, streamId: 100, resource: 'slow' },
    { type: START_STREAM, streamId: 101, resource: 'slow', parameters: 1000 },
  );
  const stream = await open;
  const pending = [
    rig.session.call('r'),
    rig.session.describe(),
    rig.session.openStream('opening', listener('opening')),
    stream.restart(1),
  ].map(rejectionCode);
  await rig.clock.settle();
  rig.peer.take();
  assert.equal(signals.length, 2);
  assert.ok(rig.clock.pending >= 5, `${rig.clock.pending} timers`);
  return { rig, pending, ends, signals };
}

describe('The end of a session', () => {
  const ways: [string, string, (rig: Rig) => void][] = [
    ['close', 'IOTMP_ERR_CLOSED', ({ session }) => session.close()],
    ['close with a reason', gone.code, ({ session }) => session.close(gone)],
    ['destroy', gone.code, ({ session }) => session.destroy(gone)],
    ['DISCONNECT of the peer', 'IOTMP_ERR_CLOSED', ({ peer }) => peer.send({ type: DISCONNECT })],
    ['the end of the connection', 'IOTMP_ERR_CLOSED', ({ peer }) => peer.hangUp()],
    [
      'a connection that breaks',
      'IOTMP_ERR_CLOSED',
      ({ session }) => session.transport.destroy(new Error('reset')),
    ],
    ['bytes that are no messages', 'IOTMP_ERR_TOO_LARGE', ({ peer }) => peer.sendBytes('06 ff ff ff ff 07')],
  ];
  for (const [name, code, end] of ways) {
    it(`by ${name} settles everything with the reason, and leaves nothing`, async () => {
      const { rig, pending, ends, signals } = await busy();
      end(rig);
      assert.deepEqual(await Promise.all(pending), Array(4).fill(code));
      assert.deepEqual(ends, ['open IOTMP_ERR_OFFLINE']);
      assert.ok(signals.every(({ aborted, reason }) => aborted && (reason as IotmpError).code === code));
      await rig.clock.settle();
      assert.equal(rig.closes.length, 1);
      assert.equal(rig.closes[0]?.code, code);
      assert.equal(rig.session.state, 'closed');
      assert.equal(rig.session.streamCount, 0);
      assert.equal(rig.session.signal.aborted, true);
      assert.equal(rig.peer.ended, true);
      assert.equal(rig.clock.pending, 0, 'a timer was left behind');
    });
  }

  it('comes after what was sent: DISCONNECT is the last message', async () => {
    const rig = await openServer();
    const call = rejectionCode(rig.session.call('r'));
    rig.session.close();
    rig.session.close();
    rig.session.destroy(gone);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: RUN, streamId: 1, resource: 'r' }, { type: DISCONNECT }]);
    assert.equal(await call, 'IOTMP_ERR_CLOSED');
    assert.equal(rig.closes.length, 1);
  });

  it('at once sends nothing more', async () => {
    const rig = await openServer();
    rig.session.destroy(gone);
    rig.session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'other'));
    rig.session.close();
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    assert.deepEqual(rig.closes, [gone]);
  });

  it('is answered with OK where DISCONNECT has an id, and messages behind it are not read', async () => {
    for (const [id, answers] of [
      [7, [{ type: OK, streamId: 7 }]],
      [0, []],
      [undefined, []],
    ] as const) {
      const rig = await openServer();
      rig.host.host('in', { kind: 'input', run: () => assert.fail('it ran') });
      rig.peer.send({ type: DISCONNECT, streamId: id }, { type: RUN, streamId: 8, resource: 'in' });
      await rig.clock.settle();
      assert.deepEqual(rig.peer.take(), answers);
      assert.equal(rig.peer.ended, true);
      assert.equal(rig.closes.length, 1);
      assert.equal(rig.session.messagesIn, 2);
    }
  });

  it('is told to the owner once the connection is gone, after onClose', async () => {
    const order: string[] = [];
    const hooks = { onClose: () => order.push('close'), onGone: () => order.push('gone') };
    const rig = await openServer({ hooks });
    rig.session.close();
    assert.deepEqual(order, ['close']);
    await rig.clock.settle();
    assert.deepEqual(order, ['close', 'gone']);
  });

  it('may come from within a resource, whose output then goes nowhere', async () => {
    const rig = await openServer();
    rig.host.host('bye', {
      kind: 'output',
      run() {
        rig.session.close();
        return 'nobody hears it';
      },
    });
    rig.host.host('never', { kind: 'output', run: () => assert.fail('it ran') });
    rig.peer.send({ type: RUN, streamId: 1, resource: 'bye' }, { type: RUN, streamId: 2, resource: 'never' });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: DISCONNECT }]);
    assert.equal(rig.closes.length, 1);
    assert.equal(rig.clock.pending, 0);
  });

  it('may come from within a resource that opens a stream, or samples one', async () => {
    const kinds: ((close: () => void) => ResourceDefinition)[] = [
      (close) => ({ kind: 'output', run: () => assert.fail('it ran'), open: close }),
      (close) => ({ kind: 'output', run: close }),
    ];
    for (const kind of kinds) {
      const rig = await openServer();
      rig.host.host(
        'bye',
        kind(() => rig.session.close()),
      );
      rig.peer.send({ type: START_STREAM, streamId: 1, resource: 'bye', parameters: 100 });
      await rig.clock.advance(1000);
      assert.equal(rig.peer.messages.at(-1)?.type, DISCONNECT);
      assert.equal(rig.closes.length, 1);
      assert.equal(rig.session.streamCount, 0);
      assert.equal(rig.clock.pending, 0);
    }
  });

  it('may come from within a listener', async () => {
    const rig = await openServer();
    const seen: unknown[] = [];
    const opening = rig.session.openStream('r', {
      onData(payload) {
        seen.push(payload);
        rig.session.close();
      },
    });
    rig.peer.send({ type: OK, streamId: 1 });
    await opening;
    rig.peer.send(
      { type: STREAM_DATA, streamId: 1, payload: 1 },
      { type: STREAM_DATA, streamId: 1, payload: 2 },
    );
    await rig.clock.settle();
    assert.deepEqual(seen, [1]);
    assert.equal(rig.closes.length, 1);
    assert.equal(rig.clock.pending, 0);
  });

  it('settles the rest, too, when listeners throw or ask for more', async () => {
    const rig = await openServer();
    const codes: Promise<string>[] = [];
    const listener = {
      onData: () => undefined,
      onClose(): void {
        codes.push(
          rejectionCode(rig.session.call('again')),
          rejectionCode(rig.session.openStream('again', listener)),
        );
        throw new Error('in onClose');
      },
    };
    const streams = [rig.session.openStream('a', listener), rig.session.openStream('b', listener)];
    rig.peer.send({ type: OK, streamId: 1 }, { type: OK, streamId: 2 });
    await Promise.all(streams);
    await endQuietly(rig);
    assert.deepEqual(await Promise.all(codes), Array(4).fill('IOTMP_ERR_CLOSED'));
    assert.deepEqual(rig.warnings, ['in onClose', 'in onClose']);
  });

  it('leaves a signal that is aborted, also for those who ask later', async () => {
    const rig = await openServer();
    await endQuietly(rig);
    assert.equal(rig.session.signal.aborted, true);
  });

  it('at one side is the end at the other, which is told the reason that it can know', async () => {
    const pair = await openPair();
    const call = rejectionCode(pair.server.session.call('r'));
    pair.server.session.close();
    await pair.clock.settle();
    assert.equal(await call, 'IOTMP_ERR_CLOSED');
    assert.equal(pair.device.closes[0]?.message, 'the peer disconnected');
    assert.equal(pair.clock.pending, 0);
  });

  it('of a client says DISCONNECT, too', async () => {
    const rig = await openClient();
    await endQuietly(rig);
    assert.deepEqual(rig.peer.take(), [{ type: DISCONNECT }]);
  });
});
