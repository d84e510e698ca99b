import type { IotmpError } from '../errors';
import type { ConnectedDevice } from './connected-device';
import type { ListenerStatus } from './listener';
import type { RefusedLogin } from './refusals/refused-login';

/** What an {@link IotmpServer} emits, and with what. */
export interface ServerEvents {
  /** A device was let in. */
  connected: [device: ConnectedDevice];
  /** A device's connection ended; with a take-over `connected` of the newer one follows. */
  disconnected: [device: ConnectedDevice, reason: IotmpError];
  /** A login was refused. The record is in {@link IotmpServer.refusedLogins} by then. */
  authenticationFailed: [login: RefusedLogin];
  /** Refused logins deserve this line in a log; see {@link RefusalLog} for what is left out. */
  refusal: [line: string];
  /** A listener opened, closed or failed. */
  listener: [kind: ListenerKind, status: ListenerStatus];
  /** Something that deserves a line in a log; `cause` is the error that it tells of, if any. */
  warning: [text: string, cause?: IotmpError];
}

export type ListenerKind = 'tcp' | 'tls';
