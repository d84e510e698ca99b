import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { ResourceRegistry } from '../../../src/session/hosting/resource-registry';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { FakeClock } from '../support/fake-clock';
import { openServer, openPair } from '../support/session-pair';
import { PeerSession } from '../../../src/session/peer-session';

/** Bytes that a session has sent and received. */
function bytesOf({ outbox, bytesIn }: PeerSession): number {
  return outbox.bytes + bytesIn;
}

const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');

describe('The bytes on the wire, as published for the protocol', () => {
  it('are 34 for a session: CONNECT and OK', async () => {
    const clock = new FakeClock();
    const [near, far] = createMemoryPair({ clock });
    const server = new PeerSession(far, new ResourceRegistry(), { onConnect: () => undefined }, { clock });
    const client = new PeerSession(near, new ResourceRegistry(), {}, { clock });
    await client.connect(['user1', 'sensor1', 'secret123'], undefined, 10_000);
    assert.equal(server.bytesIn, 30);
    assert.equal(server.outbox.bytes, 4);
    assert.equal(client.bytesIn + client.outbox.bytes, 34);
    client.close();
    await clock.settle();
  });

  it('are 35 for a sample, and 14 for one of values only', async () => {
    const rig = await openServer();
    const resource = rig.host.host('r', { kind: 'input', run: () => undefined });
    rig.peer.send({ type: MessageType.START_STREAM, streamId: 161, resource: 'r' });
    await rig.clock.settle();
    rig.peer.chunks.length = 0;
    resource.publish({ temperature: 23.5, humidity: 60 });
    resource.publish([23.5, 60]);
    await rig.clock.settle();
    const map = `0a2108a1011ac28b${hex('temperature')}400000bc4188${hex('humidity')}1f3c`;
    const array = '0a0c08a1011ae2400000bc411f3c';
    assert.equal(rig.peer.hex, map + array);
    assert.equal(map.length / 2, 35);
    assert.equal(array.length / 2, 14);
    rig.session.close();
    await rig.clock.settle();
  });

  it('are 40 for a call of an output', async () => {
    const rig = await openServer();
    rig.host.host('temperature', { kind: 'output', run: () => ({ temperature: 23.5 }) });
    const run = `060f0842228b${hex('temperature')}`;
    rig.peer.sendBytes(run);
    await rig.clock.settle();
    assert.equal(rig.peer.hex, `011508421ac18b${hex('temperature')}400000bc41`);
    assert.equal((run.length + rig.peer.hex.length) / 2, 40);
    rig.session.close();
    await rig.clock.settle();
  });

  it('are 61 for a discovery', async () => {
    const { server, device, clock } = await openPair();
    const run = (): undefined => undefined;
    device.host.host('temperature', { kind: 'output', run });
    device.host.host('humidity', { kind: 'output', run });
    device.host.host('led', { kind: 'input', run });
    device.host.host('relay', { kind: 'inout', run });
    const { session } = server;
    for (let id = 1; id < 16; id++) session.ids.next(() => false);
    const before = bytesOf(session);
    await session.describe();
    assert.equal(bytesOf(session) - before, 61);
    session.close();
    await clock.settle();
  });

  it('are 47 for the control of a stream by the map that devices read', async () => {
    const { server, device, clock } = await openPair();
    device.host.host('temperature', { kind: 'inout', run: () => undefined });
    const { session } = server;
    for (let id = 1; id < 161; id++) session.ids.next(() => false);
    const before = bytesOf(session);
    const parameters = { interval: 5000 };
    const stream = await session.openStream('temperature', { onData: () => undefined }, { parameters });
    assert.equal(stream.id, 161);
    await stream.stop();
    assert.equal(bytesOf(session) - before, 47);
    session.close();
    await clock.settle();
  });
});
