import assert from 'node:assert/strict';
import { MessageType } from '../../../src/codec/constants';
import type { HostedResource } from '../../../src/session/hosting/hosted-resource';
import type { ResourceDefinition } from '../../../src/session/hosting/resource';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { FakeClock } from '../support/fake-clock';
import {
  CONNECT,
  SessionEnd,
  startClient,
  startServer,
  type Rig,
  type SessionPair,
  type SessionSetup,
} from '../support/session-pair';

const { OK, START_STREAM } = MessageType;

/** What an end says of itself that knows the compact form. */
export const OFFER = { cs: 1 };

/** A server's open session with a peer that offered the compact form. */
export async function compactServer(setup: SessionSetup = {}): Promise<Rig> {
  const rig = startServer(setup);
  rig.peer.send({ ...CONNECT, parameters: OFFER });
  await rig.clock.settle();
  assert.deepEqual(rig.peer.take(), [{ type: OK, streamId: 17767, parameters: OFFER }]);
  rig.peer.chunks.length = 0;
  return rig;
}

/** A client's open session with a server that knows the compact form. */
export async function compactClient(setup: SessionSetup = {}): Promise<Rig> {
  const rig = startClient(setup);
  const connected = rig.session.connect(['u', 'd', 'c'], OFFER, 10_000);
  await rig.clock.settle();
  rig.peer.send({ type: OK, streamId: 1, parameters: OFFER });
  await connected;
  rig.peer.take();
  return rig;
}

/** Two sessions that talk to each other; they use the compact form unless the offer says otherwise. */
export async function compactPair(setup: SessionSetup = {}, offer: unknown = OFFER): Promise<SessionPair> {
  const clock = setup.clock ?? new FakeClock();
  const [near, far] = createMemoryPair({ clock, ...setup.memory });
  const server = new SessionEnd(near, clock, setup, true);
  const device = new SessionEnd(far, clock, setup, false);
  await device.session.connect(['user1', 'sensor1', 'secret123'], offer, 10_000);
  return { clock, server, device };
}

/** A server's session that knows the compact form and hosts `r`. */
export interface CompactRig extends Rig {
  readonly resource: HostedResource;
}

export async function compactHost(
  setup?: SessionSetup,
  definition: ResourceDefinition = { kind: 'input', run: () => undefined },
): Promise<CompactRig> {
  const rig = await compactServer(setup);
  return Object.assign(rig, { resource: rig.host.host('r', definition) });
}

/** The peer opens a stream on `r` and asks for the compact form. */
export async function startCompact(
  rig: Rig,
  streamId = 161,
  parameters: unknown = { compact: true },
): Promise<void> {
  rig.peer.send({ type: START_STREAM, streamId, resource: 'r', parameters });
  await rig.clock.settle();
  assert.deepEqual(rig.peer.take(), [{ type: OK, streamId }]);
  rig.peer.chunks.length = 0;
}
