import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { KeepAlive } from '../../../src/session/wire/keep-alive';
import { FakeClock } from '../support/fake-clock';
import { endQuietly, openClient, openPair, openServer, rejectionCode } from '../support/session-pair';

const { OK, KEEP_ALIVE, RUN } = MessageType;
const alive = { type: KEEP_ALIVE };

describe('The keep-alive of a server', () => {
  it('echoes each KEEP_ALIVE at once, and sends none by itself', async () => {
    const rig = await openServer();
    rig.session.keepAlive({ intervalMs: 60_000, sends: false });
    rig.peer.send(alive, alive);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [alive, alive]);
    await rig.clock.advance(89_000);
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('ends a session that was silent for the interval and half of it', async () => {
    const rig = await openServer();
    rig.session.keepAlive({ intervalMs: 60_000, sends: false });
    const call = rejectionCode(rig.session.call('r', { timeoutMs: 1e6 }));
    await rig.clock.advance(89_999);
    assert.equal(rig.session.state, 'open');
    await rig.clock.advance(1);
    assert.equal(rig.session.state, 'closed');
    assert.equal(await call, 'IOTMP_ERR_TIMEOUT');
    assert.match(rig.closes[0]?.message ?? '', /silent/);
    await rig.clock.settle();
    assert.equal(rig.peer.ended, true);
    assert.equal(rig.clock.pending, 0);
  });

  it('takes any whole message for life, even one of an unknown type or a broken one', async () => {
    const rig = await openServer();
    rig.session.keepAlive({ intervalMs: 60_000, sends: false });
    const messages = ['05 00', '01 00', '0b 01 ff', '06 01 ff', '0a 02 08 00'];
    for (const message of messages) {
      await rig.clock.advance(80_000);
      rig.peer.sendBytes(message);
      await rig.clock.settle();
    }
    await rig.clock.advance(89_999);
    assert.equal(rig.session.state, 'open');
    await rig.clock.advance(1);
    assert.equal(rig.session.state, 'closed');
  });

  it('does not take a part of a message for life', async () => {
    const rig = await openServer();
    rig.session.keepAlive({ intervalMs: 60_000, sends: false });
    rig.peer.sendBytes('06 20');
    for (let index = 0; index < 9; index++) {
      await rig.clock.advance(10_000);
      assert.equal(rig.session.state, index < 8 ? 'open' : 'closed');
      rig.peer.sendBytes('08');
    }
    await rig.clock.settle();
    assert.equal(rig.clock.pending, 0);
  });

  it('can be started anew with other times', async () => {
    const rig = await openServer();
    rig.session.keepAlive({ intervalMs: 60_000, sends: false });
    rig.session.keepAlive({ intervalMs: 10_000, sends: false });
    assert.equal(rig.clock.pending, 1);
    await rig.clock.advance(15_000);
    assert.equal(rig.session.state, 'closed');
    rig.session.keepAlive({ intervalMs: 10_000, sends: true });
    await rig.clock.settle();
    assert.equal(rig.clock.pending, 0);
  });
});

describe('The keep-alive of a client', () => {
  it('sends KEEP_ALIVE at its interval, whatever else is sent', async () => {
    const rig = await openClient();
    rig.session.keepAlive({ intervalMs: 60_000, sends: true });
    for (let minute = 0; minute < 3; minute++) {
      await rig.clock.advance(30_000);
      const call = rig.session.call('r');
      await rig.clock.settle();
      rig.peer.send({ type: OK, streamId: rig.peer.messages.at(-1)?.streamId });
      await call;
      await rig.clock.advance(30_000);
      rig.peer.send(alive);
    }
    assert.deepEqual(
      rig.peer.messages.map(({ type }) => type),
      [RUN, KEEP_ALIVE, RUN, KEEP_ALIVE, RUN, KEEP_ALIVE],
    );
    await endQuietly(rig);
  });

  it('does not answer the KEEP_ALIVE of a server: that would go on for ever', async () => {
    const rig = await openClient();
    rig.peer.send(alive);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('notices a mute server', async () => {
    const rig = await openClient();
    rig.session.keepAlive({ intervalMs: 60_000, sends: true });
    await rig.clock.advance(90_000);
    assert.equal(rig.session.state, 'closed');
    assert.equal(rig.closes[0]?.code, 'IOTMP_ERR_TIMEOUT');
    assert.deepEqual(rig.peer.take(), [alive]);
    await rig.clock.settle();
    assert.equal(rig.clock.pending, 0);
  });

  it('keeps a session with a server open for hours, and costs 2 bytes each way', async () => {
    const pair = await openPair();
    const { session } = pair.device;
    const sent = session.outbox.bytes;
    const received = session.bytesIn;
    pair.server.session.keepAlive({ intervalMs: 60_000, sends: false });
    session.keepAlive({ intervalMs: 60_000, sends: true });
    await pair.clock.advance(3_600_000);
    assert.equal(session.outbox.bytes - sent, 120);
    assert.equal(session.bytesIn - received, 120);
    session.close();
    await pair.clock.settle();
    assert.equal(pair.server.session.state, 'closed');
    assert.equal(pair.clock.pending, 0);
  });
});

describe('KeepAlive', () => {
  it('takes a peer that is not read for alive', async () => {
    const clock = new FakeClock();
    let silent = 0;
    const times = { intervalMs: 1000, sends: false };
    const port = { isRead: false, sendKeepAlive: () => undefined, handleSilence: () => silent++ };
    const keepAlive = new KeepAlive(clock, times, port);
    await clock.advance(10_000);
    assert.equal(silent, 0);
    port.isRead = true;
    await clock.advance(1500);
    assert.equal(silent, 1);
    keepAlive.stop();
  });

  it('needs one timer for a silence, not one for each message', async () => {
    const clock = new FakeClock();
    let silent = 0;
    const sendKeepAlive = (): void => assert.fail('it sent');
    const times = { intervalMs: 1000, sends: false };
    const handleSilence = (): number => silent++;
    const keepAlive = new KeepAlive(clock, times, { isRead: true, sendKeepAlive, handleSilence });
    for (let index = 0; index < 100; index++) {
      await clock.advance(100);
      keepAlive.heard(clock.now());
      assert.equal(clock.pending, 1);
    }
    await clock.advance(1500);
    assert.equal(silent, 1);
    keepAlive.stop();
    keepAlive.stop();
    assert.equal(clock.pending, 0);
  });
});
