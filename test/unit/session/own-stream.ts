import { MessageType } from '../../../src/codec/constants';
import type { IotmpError } from '../../../src/errors';
import { openServer, type Rig, type SessionSetup } from '../support/session-pair';
import type { SessionStream, StreamListener } from '../../../src/session/streams/session-stream';
import type { CallOptions } from '../../../src/session/requests/reply';

const { OK, STOP_STREAM } = MessageType;

/** Writes down what a stream tells its opener. */
export class Listener implements StreamListener {
  readonly data: unknown[] = [];
  readonly ends: (string | undefined)[] = [];

  onData(payload: unknown, parameters: unknown): void {
    this.data.push(parameters === undefined ? payload : [payload, parameters]);
  }

  onClose(reason?: IotmpError): void {
    this.ends.push(reason?.code);
  }
}

/** A server's session that opens a stream on the resource `r` of its peer. */
export interface Opening extends Rig {
  readonly listener: Listener;
  readonly opening: Promise<SessionStream>;
}

/** A stream whose START_STREAM has been sent. */
export async function opening(options?: CallOptions, setup: SessionSetup = {}): Promise<Opening> {
  const rig = await openServer(setup);
  const listener = new Listener();
  const promise = rig.session.openStream('r', listener, options);
  promise.catch(() => undefined);
  await rig.clock.settle();
  return Object.assign(rig, { listener, opening: promise });
}

/** A stream that is open, under the id 1. */
export async function opened(
  options?: CallOptions,
  setup?: SessionSetup,
): Promise<Opening & { stream: SessionStream }> {
  const rig = await opening(options, setup);
  rig.peer.send({ type: OK, streamId: 1 });
  const stream = await rig.opening;
  rig.peer.take();
  return Object.assign(rig, { stream });
}

/** The STOP_STREAM of that stream. */
export const stop = { type: STOP_STREAM, streamId: 1 };
