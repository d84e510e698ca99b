import type { ServiceCode } from '../codec/constants';
import type { ResourceCall, ResourceResult, ResourceStream } from '../session/hosting/resource';
import type { DeviceId } from '../types';

/**
 * A request of a device for a service (`protocol.md` section 7). Its `parameters` are the name or whatever else
 * says what is meant, in both dialects.
 */
export interface ServiceCall extends ResourceCall {
  readonly caller: DeviceId;
}

/** A subscription of a device to what a service tells (`protocol.md` section 7). */
export interface ServiceStream extends ResourceStream {
  readonly caller: DeviceId;
}

/** What a service does under one of the numbers. An IotmpError that is thrown is answered with its status. */
export interface ServiceOffer {
  readonly code: (typeof ServiceCode)[keyof typeof ServiceCode];
  /** Its name in events, such as `call_device`. */
  readonly name: string;
  /** Serves a RUN: gives the payload of the answer, an `Answer`, or a promise of either. */
  run?(call: ServiceCall): ResourceResult;
  /** Serves a START_STREAM: gives the payload of the OK, or a promise of it. */
  open?(stream: ServiceStream): ResourceResult;
  /** Most time that an answer may take, in ms; the session's own limit without it. */
  readonly timeoutMs?: number;
}

/** Something that devices can ask of a server: one concept, under one number or more. */
export interface Service {
  readonly offers: readonly ServiceOffer[];
  /** Settles what waits and lets go of what is held. It is not used after that. */
  close(): void;
}
