import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import { CONNECT, endQuietly, ended, rejectionCode, startClient, type Rig } from '../support/session-pair';

const { OK, ERROR, CONNECT: CONNECT_TYPE, DISCONNECT, KEEP_ALIVE, RUN } = MessageType;

describe('A client', () => {
  const login = ['user1', 'sensor1', 'secret123'];

  it('sends CONNECT first, and is open with the OK', async () => {
    const rig = startClient();
    const connected = rig.session.connect(login, { ka: 30 }, 10_000);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [
      { type: CONNECT_TYPE, streamId: 1, parameters: { ka: 30 }, payload: login },
    ]);
    assert.equal(rig.session.state, 'connecting');
    assert.equal(await rejectionCode(rig.session.call('early')), 'IOTMP_ERR_CLOSED');
    rig.peer.send({ type: OK, streamId: 1, payload: 'welcome' });
    assert.equal((await connected).payload, 'welcome');
    assert.equal(rig.session.state, 'open');
    assert.equal(rig.clock.pending, 0);
    await endQuietly(rig);
  });

  it('takes the first message for the answer, whatever its id', async () => {
    for (const answer of [{ type: OK }, { type: OK, streamId: 4711 }, { type: OK, streamId: 0 }]) {
      const rig = startClient();
      const connected = rig.session.connect(login, undefined, 10_000);
      rig.peer.send(answer);
      await connected;
      assert.equal(rig.session.state, 'open');
      await endQuietly(rig);
    }
  });

  it('takes anything but OK for a refusal, which its owner reads', async () => {
    const refusal = { type: ERROR, streamId: 1, parameters: 2, payload: { error: 'no' } };
    for (const answer of [refusal, { type: KEEP_ALIVE }, { type: DISCONNECT }]) {
      const rig = startClient();
      const connected = rig.session.connect(login, undefined, 10_000);
      rig.peer.send(answer);
      const message = await connected;
      assert.equal(message.type, answer.type);
      assert.equal(rig.session.state, 'connecting');
      assert.equal(rig.clock.pending, 0);
      await endQuietly(rig);
    }
  });

  it('serves what comes right behind the OK', async () => {
    const rig = startClient();
    rig.host.host('led', { kind: 'output', run: () => true });
    const connected = rig.session.connect(login, undefined, 10_000);
    rig.peer.send({ type: OK, streamId: 1 }, { type: RUN, streamId: 1, resource: 'led' });
    await connected;
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take().at(-1), { type: OK, streamId: 1, payload: true });
    await endQuietly(rig);
  });

  it('gives up a server that does not answer', async () => {
    const rig = startClient();
    const connected = rejectionCode(rig.session.connect(login, undefined, 10_000));
    await rig.clock.advance(9_999);
    assert.equal(rig.session.state, 'connecting');
    await rig.clock.advance(1);
    assert.equal(await connected, 'IOTMP_ERR_TIMEOUT');
    assert.equal(await ended(rig), 'IOTMP_ERR_TIMEOUT');
  });

  it('rejects with the reason when the connection ends first', async () => {
    const ends: [string, (rig: Rig) => void][] = [
      ['IOTMP_ERR_CLOSED', ({ peer }) => peer.hangUp()],
      ['IOTMP_ERR_CLOSED', ({ session }) => session.close()],
      ['IOTMP_ERR_ABORTED', ({ session }) => session.destroy(new IotmpError('IOTMP_ERR_ABORTED', 'no more'))],
      ['IOTMP_ERR_DECODE', ({ peer }) => peer.sendBytes('01 01 ff')],
      ['IOTMP_ERR_PROTOCOL', ({ peer }) => peer.sendBytes('0b 00')],
    ];
    for (const [code, end] of ends) {
      const rig = startClient();
      const connected = rejectionCode(rig.session.connect(login, undefined, 10_000));
      await rig.clock.settle();
      end(rig);
      assert.equal(await connected, code);
      assert.equal(await ended(rig), code);
    }
  });

  it('rejects, and ends, when its CONNECT cannot be sent', async () => {
    const rig = startClient();
    const connected = rig.session.connect([() => 1], undefined, 10_000);
    assert.equal(await rejectionCode(connected), 'IOTMP_ERR_ENCODE');
    assert.equal(await ended(rig), 'IOTMP_ERR_ENCODE');
    assert.equal(await rejectionCode(rig.session.connect(login, undefined, 1)), 'IOTMP_ERR_CLOSED');
    assert.equal(rig.clock.pending, 0);
  });

  it('connects once', async () => {
    const rig = startClient();
    const connected = rig.session.connect(login, undefined, 10_000);
    assert.equal(await rejectionCode(rig.session.connect(login, undefined, 1)), 'IOTMP_ERR_CONFLICT');
    rig.peer.send({ type: OK });
    await connected;
    assert.equal(await rejectionCode(rig.session.connect(login, undefined, 1)), 'IOTMP_ERR_CONFLICT');
    await endQuietly(rig);
  });

  it('lets in nobody: a server that speaks first is left', async () => {
    for (const message of [CONNECT, { type: OK }, { type: RUN, streamId: 1, resource: 'x' }]) {
      const rig = startClient();
      rig.peer.send(message);
      assert.equal(await ended(rig), 'IOTMP_ERR_PROTOCOL');
      assert.deepEqual(rig.peer.take(), []);
    }
  });
});
