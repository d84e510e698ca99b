import { MessageType } from '../../../src/codec/constants';
import type { HostedResource } from '../../../src/session/hosting/hosted-resource';
import type { ResourceDefinition } from '../../../src/session/hosting/resource';
import { openServer, type Rig } from '../support/session-pair';

const { OK, ERROR, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

/** A server's session that hosts the resource `r`. */
export interface StreamRig extends Rig {
  readonly resource: HostedResource;
}

export async function rigWith(definition: ResourceDefinition, options = {}): Promise<StreamRig> {
  const rig = await openServer({ options });
  return Object.assign(rig, { resource: rig.host.host('r', definition) });
}

/** An output that counts how often it was read. */
export function counter(): ResourceDefinition {
  let reads = 0;
  return { kind: 'output', run: () => ++reads };
}

/** The peer opens a stream of id 161 on the resource; gives what comes back. */
export async function start({ peer, clock }: Rig, extra: object = {}): Promise<object[]> {
  peer.send({ type: START_STREAM, streamId: 161, resource: 'r', ...extra });
  await clock.settle();
  return peer.take();
}

/** The peer sends data into the stream; gives what comes back. */
export async function data({ peer, clock }: Rig, payload: unknown): Promise<object[]> {
  peer.send({ type: STREAM_DATA, streamId: 161, payload });
  await clock.settle();
  return peer.take();
}

/** What the session may say of the stream of id 161. */
export const ok = { type: OK, streamId: 161 };
export const stop = { type: STOP_STREAM, streamId: 161 };
export const sample = (payload: unknown): object => ({ type: STREAM_DATA, streamId: 161, payload });
export const refused = (parameters: number, error: string): object => ({
  type: ERROR,
  streamId: 161,
  parameters,
  payload: { error },
});
