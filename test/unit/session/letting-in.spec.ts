import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import type { ConnectRequest } from '../../../src/session/session';
import { CONNECT, endQuietly, ended, startServer, type Rig } from '../support/session-pair';

const { OK, ERROR, DISCONNECT, KEEP_ALIVE, RUN } = MessageType;

/** A verdict on CONNECT that the test gives when it wants. */
class Verdict {
  readonly requests: ConnectRequest[] = [];
  letIn: () => void = () => undefined;
  turnAway: (error: unknown) => void = () => undefined;

  readonly onConnect = (request: ConnectRequest): Promise<void> => {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      this.letIn = resolve;
      this.turnAway = reject;
    });
  };
}

describe('A server', () => {
  it('says nothing before CONNECT, and answers it with OK under its id', async () => {
    const requests: ConnectRequest[] = [];
    const opened: string[] = [];
    const onConnect = (request: ConnectRequest): void => void requests.push(request);
    const rig = startServer({ hooks: { onConnect, onOpen: () => opened.push(rig.session.state) } });
    rig.session.expectConnect(10_000);
    await rig.clock.settle();
    assert.equal(rig.peer.hex, '');
    assert.equal(rig.session.state, 'connecting');
    rig.peer.send(CONNECT);
    await rig.clock.settle();
    assert.equal(rig.peer.hex, '010408e78a01');
    assert.deepEqual(opened, ['open']);
    assert.equal(rig.clock.pending, 0);
    const [request] = requests;
    assert.deepEqual(request?.message.payload, ['user1', 'sensor1', 'secret123']);
    assert.equal(request.firstKey, 0x08);
    await endQuietly(rig);
  });

  it('knows the Linux client by its first field, the payload', async () => {
    const requests: ConnectRequest[] = [];
    const rig = startServer({ hooks: { onConnect: (request) => void requests.push(request) } });
    rig.peer.sendBytes('03 0c 1a e3 81 75 81 64 81 63 08 e7 8a 01');
    await rig.clock.settle();
    assert.equal(rig.session.state, 'open');
    assert.equal(requests[0]?.firstKey, 0x1a);
    assert.deepEqual(requests[0].message.payload, ['u', 'd', 'c']);
    await endQuietly(rig);
  });

  it('takes a CONNECT without a body or an id for what it is', async () => {
    const requests: ConnectRequest[] = [];
    for (const [bytes, answer] of [
      ['03 00 05 00', '01000500'],
      ['03 02 08 00', '01020800'],
    ] as const) {
      const rig = startServer({ hooks: { onConnect: (request) => void requests.push(request) } });
      rig.peer.sendBytes(bytes);
      await rig.clock.settle();
      assert.equal(rig.peer.hex, answer);
      await endQuietly(rig);
    }
    assert.deepEqual(
      requests.map(({ firstKey }) => firstKey),
      [0, 8],
    );
  });

  it('turns away with the code and the text of the error, and closes', async () => {
    const wrong = new IotmpError('IOTMP_ERR_AUTH', 'wrong credential', { statusCode: 2 });
    const verdicts = [
      (): never => {
        throw wrong;
      },
      () => Promise.reject(wrong),
    ];
    for (const onConnect of verdicts) {
      const rig = startServer({ hooks: { onConnect, onOpen: () => assert.fail('it opened') } });
      rig.session.expectConnect(10_000);
      rig.peer.send(CONNECT, { type: RUN, streamId: 5, resource: 'x' });
      assert.equal(await ended(rig), 'IOTMP_ERR_AUTH');
      assert.deepEqual(rig.peer.take(), [
        { type: ERROR, streamId: 17767, parameters: 2, payload: { error: 'wrong credential' } },
      ]);
    }
  });

  it('turns away what its own code fails on, whatever it throws', async () => {
    for (const thrown of [new Error('x'.repeat(1e6)), Object.create(null), undefined]) {
      const rig = startServer({ hooks: { onConnect: () => Promise.reject(thrown as Error) } });
      rig.peer.send(CONNECT);
      assert.equal(await ended(rig), 'IOTMP_ERR_HANDLER');
      assert.equal(rig.peer.messages[0]?.parameters, 500);
    }
  });

  it('closes when anything but CONNECT comes first', async () => {
    const run = '06 07 08 42 22 83 6c 65 64';
    for (const first of [
      '01 00',
      '02 00',
      '04 00',
      '05 00',
      run,
      '07 00',
      '08 00',
      '09 00',
      '0a 00',
      '0b 00',
    ]) {
      const rig = startServer({ hooks: { onConnect: () => assert.fail('it was asked') } });
      rig.session.expectConnect(10_000);
      rig.peer.sendBytes(first);
      assert.equal(await ended(rig), 'IOTMP_ERR_PROTOCOL', first);
      assert.deepEqual(rig.peer.take(), [], `it said something to ${first}`);
    }
  });

  it('answers a CONNECT that does not decode with code 4, and closes', async () => {
    const rig = startServer({ hooks: { onConnect: () => assert.fail('it was asked') } });
    rig.session.expectConnect(10_000);
    rig.peer.sendBytes('03 05 08 07 1a e3 85');
    assert.equal(await ended(rig), 'IOTMP_ERR_DECODE');
    const [answer] = rig.peer.take() as [Record<string, unknown>];
    assert.deepEqual([answer.type, answer.streamId, answer.parameters], [ERROR, 7, 4]);
  });

  it('closes when no CONNECT comes in time', async () => {
    const rig = startServer();
    rig.session.expectConnect(20_000);
    rig.session.expectConnect(10_000);
    rig.peer.sendBytes('03 1e 08');
    await rig.clock.advance(9_999);
    assert.equal(rig.session.state, 'connecting');
    await rig.clock.advance(1);
    assert.equal(await ended(rig), 'IOTMP_ERR_TIMEOUT');
    assert.deepEqual(rig.peer.take(), []);
  });

  it('closes when the verdict does not come in time, and drops it then', async () => {
    const verdict = new Verdict();
    const rig = startServer({ hooks: verdict });
    rig.session.expectConnect(10_000);
    rig.peer.send(CONNECT);
    await rig.clock.advance(10_000);
    assert.equal(await ended(rig), 'IOTMP_ERR_TIMEOUT');
    verdict.letIn();
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    assert.equal(rig.session.outbox.messages, 0);
    assert.equal(rig.session.state, 'closed');
    rig.session.expectConnect(10_000);
    assert.equal(rig.clock.pending, 0);
  });

  it('takes what was sent behind CONNECT only after the verdict, in order', async () => {
    const verdict = new Verdict();
    const rig = startServer({ hooks: verdict });
    const seen: unknown[] = [];
    rig.host.host('in', { kind: 'input', run: ({ payload }) => void seen.push(payload) });
    const run = (payload: number): object => ({ type: RUN, streamId: payload, resource: 'in', payload });
    rig.peer.send(CONNECT, run(1) as never, run(2) as never);
    await rig.clock.settle();
    rig.peer.send(run(3) as never, { type: KEEP_ALIVE });
    await rig.clock.settle();
    assert.deepEqual(seen, []);
    assert.deepEqual(rig.peer.take(), []);
    verdict.letIn();
    await rig.clock.settle();
    await rig.clock.settle();
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(rig.peer.take(), [
      { type: OK, streamId: 17767 },
      { type: OK, streamId: 1 },
      { type: OK, streamId: 2 },
      { type: OK, streamId: 3 },
      { type: KEEP_ALIVE },
    ]);
    assert.equal(verdict.requests.length, 1);
    await endQuietly(rig);
  });

  it('runs nothing of a peer that is turned away, or gone by then', async () => {
    const verdict = new Verdict();
    const rig = startServer({ hooks: verdict });
    rig.host.host('in', { kind: 'input', run: () => assert.fail('it ran') });
    rig.peer.send(CONNECT, { type: RUN, streamId: 5, resource: 'in' });
    await rig.clock.settle();
    verdict.turnAway(new IotmpError('IOTMP_ERR_AUTH', 'no', { statusCode: 2 }));
    assert.equal(await ended(rig), 'IOTMP_ERR_AUTH');

    const other = startServer({ hooks: verdict });
    other.peer.send(CONNECT, { type: RUN, streamId: 5, resource: 'in' });
    await other.clock.settle();
    other.session.close();
    verdict.turnAway(new Error('too late'));
    assert.equal(await ended(other), 'IOTMP_ERR_CLOSED');
    assert.deepEqual(other.peer.take(), []);
    assert.equal(other.session.outbox.messages, 0);
  });

  it('refuses a second CONNECT, and stays', async () => {
    const rig = startServer();
    rig.peer.send(CONNECT, { ...CONNECT, streamId: 9158 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: OK, streamId: 17767 },
      { type: ERROR, streamId: 9158, parameters: 400, payload: { error: 'already connected' } },
    ]);
    await endQuietly(rig);
  });

  it('survives hooks that throw', async () => {
    const rig = startServer({
      hooks: {
        onOpen: () => assert.fail('in onOpen'),
        onClose: () => assert.fail('in onClose'),
        onGone: () => assert.fail('in onGone'),
      },
    });
    rig.peer.send(CONNECT, { type: KEEP_ALIVE });
    await rig.clock.settle();
    assert.equal(rig.peer.take().length, 2);
    await endQuietly(rig);
    assert.deepEqual(rig.warnings, ['in onOpen', 'in onClose', 'in onGone']);
  });

  it('may be closed from within its own hooks', async () => {
    for (const name of ['onConnect', 'onOpen'] as const) {
      const rig: Rig = startServer({ hooks: { [name]: () => rig.session.close() } });
      rig.host.host('in', { kind: 'input', run: () => assert.fail('it ran') });
      rig.session.expectConnect(10_000);
      rig.peer.send(CONNECT, { type: RUN, streamId: 5, resource: 'in' });
      assert.equal(await ended(rig), 'IOTMP_ERR_CLOSED');
      const types = rig.peer.messages.map(({ type }) => type);
      assert.deepEqual(types, name === 'onOpen' ? [OK, DISCONNECT] : []);
    }
  });
});
