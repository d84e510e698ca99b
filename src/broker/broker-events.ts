import type { DeviceId } from '../types';
import type { IotmpError } from '../errors';
import type { ConnectedDevice } from './connected-device';
import type { ListenerStatus } from './listener';

/** A login that failed. */
export interface FailedLogin extends DeviceId {
  /** Address that it came from. */
  readonly address: string;
  readonly error: IotmpError;
}

/** What an {@link IotmpServer} emits, and with what. */
export interface ServerEvents {
  /** A device was let in. */
  connected: [device: ConnectedDevice];
  /** A device's connection ended; with a take-over `connected` of the newer one follows. */
  disconnected: [device: ConnectedDevice, reason: IotmpError];
  /** A login failed. */
  authenticationFailed: [login: FailedLogin];
  /** A listener opened, closed or failed. */
  listener: [kind: ListenerKind, status: ListenerStatus];
  /** Something that deserves a line in a log; `cause` is the error that it tells of, if any. */
  warning: [text: string, cause?: IotmpError];
}

export type ListenerKind = 'tcp' | 'tls';
