import type { ServiceCode } from '../codec/constants';
import type { ResourceCall, ResourceResult, ResourceStream } from '../session/hosting/resource';
import type { DeviceAction } from '../rights/device-request';
import type { DeviceId } from '../types';

/**
 * A request of a device for a service (`protocol.md` section 7). In both dialects, its `parameters` are the name or
 * the other argument of the service.
 */
export interface ServiceCall extends ResourceCall {
  readonly caller: DeviceId;
}

/** A device's subscription to a service (`protocol.md` section 7). */
export interface ServiceStream extends ResourceStream {
  readonly caller: DeviceId;
}

/** The requests that a service serves under one number. A thrown IotmpError is answered with its status. */
export interface ServiceOffer {
  readonly code: (typeof ServiceCode)[keyof typeof ServiceCode];
  /** The name of the request in events, such as `call_device`. */
  readonly name: string;
  /** The action on the thing that the parameters name. A device that has no right to it is refused before. */
  readonly action?: DeviceAction;
  /** Serves a RUN. Returns the payload of the answer, an `Answer`, or a promise of either. */
  run?(call: ServiceCall): ResourceResult;
  /** Serves a START_STREAM. Returns the payload of the OK, or a promise of the payload. */
  open?(stream: ServiceStream): ResourceResult;
  /** Maximum time for an answer, in ms. The limit of the session by default. */
  readonly timeoutMs?: number;
}

/** A service that a server offers to devices, under one number or more. */
export interface Service {
  readonly offers: readonly ServiceOffer[];
  /** Rejects waiting requests and frees all resources. The service is not used any more after that. */
  close(): void;
}
