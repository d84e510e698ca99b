import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import type { Value } from '../../../src/types';
import { CONNECT, endQuietly, openPair, openServer, startClient, startServer } from '../support/session-pair';
import { compactClient, compactPair, compactServer, OFFER } from './compact-rig';
import { Listener } from './own-stream';

const { OK, START_STREAM, STREAM_DATA } = MessageType;

describe('The compact form is agreed upon', () => {
  it('by an offer in CONNECT and in its OK', async () => {
    const { server, device, clock } = await compactPair();
    assert.equal(server.session.outbox.compact, true);
    assert.equal(device.session.outbox.compact, true);
    server.session.close();
    await clock.settle();
  });

  it('by nobody who did not offer it, who gets the bare OK of four bytes', async () => {
    for (const parameters of [undefined, null, 1, {}, { cs: 0 }, { cs: true }, { ka: 30 }, [1], 'cs']) {
      const rig = startServer();
      rig.peer.send({ ...CONNECT, streamId: 1, parameters });
      await rig.clock.settle();
      assert.equal(rig.session.outbox.compact, false);
      assert.equal(rig.peer.hex, '01020801');
      await endQuietly(rig);
    }
  });

  it('by no client that did not offer it, whatever the server says', async () => {
    const rig = startClient();
    const connected = rig.session.connect(['u', 'd', 'c'], { ka: 30 }, 10_000);
    await rig.clock.settle();
    rig.peer.send({ type: OK, streamId: 1, parameters: OFFER });
    await connected;
    assert.equal(rig.session.outbox.compact, false);
    await endQuietly(rig);
  });

  it('by no client whose server does not know it', async () => {
    for (const parameters of [undefined, 200, { other: 1 }, { cs: 2 }]) {
      const rig = startClient();
      const connected = rig.session.connect(['u', 'd', 'c'], OFFER, 10_000);
      await rig.clock.settle();
      rig.peer.send({ type: OK, streamId: 1, parameters });
      await connected;
      assert.equal(rig.session.outbox.compact, false);
      await endQuietly(rig);
    }
  });
});

describe('A stream that is opened', () => {
  /** Parameters of the START_STREAM that goes out for these. */
  async function sent(parameters: unknown): Promise<unknown> {
    const rig = await compactServer();
    const opening = rig.session.openStream('r', new Listener(), { parameters });
    opening.catch(() => undefined);
    await rig.clock.settle();
    const [message] = rig.peer.messages;
    await endQuietly(rig);
    return message?.parameters;
  }

  it('asks for the compact form where its parameters are a map, or absent', async () => {
    assert.deepEqual(await sent(undefined), { compact: true });
    assert.deepEqual(await sent({ interval: 5000 }), { interval: 5000, compact: true });
    assert.deepEqual(await sent(Object.assign(Object.create(null), { a: 1 })), { a: 1, compact: true });
  });

  it('leaves other parameters alone, and a map that has a wish of its own', async () => {
    assert.equal(await sent(5000), 5000);
    assert.equal(await sent('name'), 'name');
    assert.equal(await sent(null), null);
    assert.deepEqual(await sent(['a', 'b']), ['a', 'b']);
    assert.deepEqual(await sent(new Map([['a', 1]])), { a: 1 });
    assert.deepEqual(await sent({ toJSON: () => ({ b: 1 }) }), { b: 1 });
    assert.deepEqual(await sent({ compact: false, a: 1 }), { compact: false, a: 1 });
    assert.deepEqual(await sent({ compact: undefined, a: 1 }), { a: 1 });
  });

  it('asks again with every restart', async () => {
    const rig = await compactServer();
    const opening = rig.session.openStream('r', new Listener(), { parameters: { interval: 100 } });
    rig.peer.send({ type: OK, streamId: 1 });
    const stream = await opening;
    rig.peer.take();
    const restarting = stream.restart({ interval: 200 });
    await rig.clock.settle();
    const start = { type: START_STREAM, streamId: 1, resource: 'r' };
    assert.deepEqual(rig.peer.take(), [{ ...start, parameters: { interval: 200, compact: true } }]);
    rig.peer.send({ type: OK, streamId: 1 });
    await restarting;
    await endQuietly(rig);
  });

  it('asks no peer that does not know it, and takes its arrays for arrays', async () => {
    const rig = await openServer();
    const listener = new Listener();
    const opening = rig.session.openStream('r', listener, { parameters: { interval: 5000 } });
    await rig.clock.settle();
    const start = { type: START_STREAM, streamId: 1, resource: 'r' };
    assert.deepEqual(rig.peer.take(), [{ ...start, parameters: { interval: 5000 } }]);
    rig.peer.send(
      { type: OK, streamId: 1 },
      { type: STREAM_DATA, streamId: 1, payload: { a: 1 } },
      { type: STREAM_DATA, streamId: 1, payload: [2] },
    );
    await opening;
    assert.deepEqual(listener.data, [{ a: 1 }, [2]]);
    await endQuietly(rig);
  });
});

describe('A resource on which a stream is opened', () => {
  /** The parameters that the resource sees. */
  async function seen(parameters: unknown, offer: unknown = OFFER): Promise<Value | undefined> {
    const { server, device, clock } = await compactPair({}, offer);
    const given = Promise.withResolvers<Value | undefined>();
    device.host.host('r', {
      kind: 'inout',
      run: () => 1,
      open: (stream) => given.resolve(stream.parameters),
    });
    await server.session.openStream('r', new Listener(), { parameters });
    const result = await given.promise;
    server.session.close();
    await clock.settle();
    return result;
  }

  it('sees the parameters of the opener, without the wish', async () => {
    assert.equal(await seen(undefined), undefined);
    assert.deepEqual(await seen({ interval: 5000 }), { interval: 5000 });
    assert.equal(await seen(7000), 7000);
    assert.deepEqual(await seen({ compact: false }), { compact: false });
  });

  it('sees all of them where nothing was agreed upon', async () => {
    assert.deepEqual(await seen({ compact: true, a: 1 }, null), { compact: true, a: 1 });
    assert.equal(await seen(undefined, null), undefined);
  });

  it('sends no compact sample to who asked without the agreement', async () => {
    const { server, device, clock } = await openPair();
    const resource = server.host.host('r', { kind: 'output', run: () => ({ a: 0 }) });
    const listener = new Listener();
    await device.session.openStream('r', listener, { parameters: { compact: true } });
    for (const value of [{ a: 1 }, { a: 2 }, [3]]) resource.publish(value);
    await clock.settle();
    assert.deepEqual(listener.data, [{ a: 0 }, { a: 1 }, { a: 2 }, [3]]);
    server.session.close();
    await clock.settle();
  });

  it('sends none to who agreed and did not ask', async () => {
    const rig = await compactClient();
    const resource = rig.host.host('r', { kind: 'input', run: () => undefined });
    rig.peer.send({ type: START_STREAM, streamId: 5, resource: 'r', parameters: { interval: 0 } });
    await rig.clock.settle();
    rig.peer.take();
    resource.publish({ a: 1 });
    resource.publish({ a: 2 });
    await rig.clock.settle();
    const sample = { type: STREAM_DATA, streamId: 5 };
    assert.deepEqual(rig.peer.take(), [
      { ...sample, payload: { a: 1 } },
      { ...sample, payload: { a: 2 } },
    ]);
    await endQuietly(rig);
  });
});
