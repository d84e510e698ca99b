import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import type { Session, ConnectRequest, SessionHooks } from '../session/session';
import type { WarningGate } from '../session/base/warning-gate';
import type { Transport } from '../transport/transport';
import type { Clock } from '../util/clock';
import type { Authenticator } from './authenticator';
import type { LoginHold } from './directory-authenticator';
import type { FailedLogin } from './broker-events';
import type { ResolvedServerOptions } from './broker-options';
import type { ConnectedDevice } from './connected-device';
import { IotmpDevice } from './iotmp-device';
import { parseConnect, type ConnectIntent } from './connect-request';
import type { DeviceRegistry } from './device-registry';
import type { LoginThrottle } from './login-throttle';
import type { ServiceHost } from './service-host';
import { guarded, warnProcess } from '../util/guard';
import { PeerSession } from '../session/peer-session';

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly host: ServiceHost;
  readonly registry: DeviceRegistry;
  readonly throttle: LoginThrottle;
  /** Is waited for before anything is decided about a login. */
  readonly hold: LoginHold;
  /** For warnings about connections that are not logged in. */
  readonly warnings: WarningGate;
  options(): ResolvedServerOptions;
  authenticator(): Authenticator;
  onConnected(device: ConnectedDevice): void;
  onDisconnected(device: ConnectedDevice, reason: IotmpError): void;
  onRefused(login: FailedLogin): void;
  onWarning(text: string): void;
  /** Nothing is left of the connection. */
  onGone(connection: Connection): void;
}

/** One connection, from its first byte to its last: the login, and what comes of it (`protocol.md` section 4). */
export class Connection implements SessionHooks {
  readonly session: Session;
  readonly #context: ConnectionContext;
  /** What was asked for; forgotten once it is decided, as the credential is a part of it. */
  #intent: ConnectIntent | undefined;
  #device: ConnectedDevice | undefined;
  #refused = false;

  constructor(transport: Transport, context: ConnectionContext) {
    const { session, connectTimeoutMs } = context.options();
    this.#context = context;
    this.session = new PeerSession(transport, context.host, this, session);
    this.session.expectConnect(connectTimeoutMs);
  }

  /** Answers at once where it can; a refusal waits when its address has failed before. */
  onConnect(request: ConnectRequest): void | Promise<void> {
    const { opening } = this.#context.hold;
    if (opening === undefined) return this.#decide(request);
    return opening.then(() => (this.session.signal.aborted ? undefined : this.#decide(request)));
  }

  onOpen(): void {
    const intent = this.#intent;
    if (intent === undefined) return;
    this.#intent = undefined;
    const { registry } = this.#context;
    // First, so that nobody hears of the newer connection before the older one is over.
    const older = registry.get(intent);
    older?.close(new IotmpError('IOTMP_ERR_CLOSED', 'taken over by a newer connection'));
    if (this.session.state !== 'open') return;
    this.#device = this.#welcome(intent);
    registry.add(this.#device);
    this.#context.onConnected(this.#device);
  }

  onClose(reason: IotmpError): void {
    this.#intent = undefined;
    if (this.#device !== undefined) {
      this.#context.registry.remove(this.#device);
      this.#context.onDisconnected(this.#device, reason);
    } else if (!this.#refused && reason.code !== 'IOTMP_ERR_CLOSED') {
      const { remoteAddress } = this.session.transport;
      this.#context.warnings.warn(`${remoteAddress} did not log in: ${reason.message}`);
    }
  }

  onGone(): void {
    this.#context.onGone(this);
  }

  onWarning(text: string): void {
    this.#context.onWarning(`${nameOf(this.session)}: ${text}`);
  }

  #welcome({ user, device, keepAliveMs, maxBodySize }: ConnectIntent): ConnectedDevice {
    const { session } = this;
    const record = this.#context.registry.record({ user, device });
    session.peer = record.id;
    session.ids = record.ids;
    session.maxBodySize = maxBodySize;
    const intervalMs = keepAliveMs ?? this.#context.options().keepAliveS * 1000;
    session.keepAlive({ intervalMs, sends: false });
    return new IotmpDevice(record.id, session, record.lastKnown);
  }

  #decide(request: ConnectRequest): void | Promise<void> {
    try {
      this.#intent = parseConnect(request);
      const authenticator = this.#context.authenticator();
      const verdict = authenticator.authenticate(this.#intent, this.#intent.credential);
      if (verdict === undefined) return undefined;
      return this.#wait(verdict, authenticator).catch((error: unknown) => this.#refuse(error));
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Another authenticator may be in charge by the time that this one has decided. */
  async #wait(verdict: void | PromiseLike<void>, authenticator: Authenticator): Promise<void> {
    await verdict;
    if (this.#context.authenticator() !== authenticator) {
      throw new IotmpError('IOTMP_ERR_AUTH', 'who may connect has changed meanwhile', {
        statusCode: ConnectCode.BAD_CREDENTIALS,
      });
    }
  }

  async #refuse(cause: unknown): Promise<void> {
    const { user = '', device = '' } = this.#intent ?? {};
    const error =
      cause instanceof IotmpError
        ? cause
        : new IotmpError('IOTMP_ERR_AUTH', 'the login could not be checked', { cause });
    const { transport, options, signal } = this.session;
    this.#refused = true;
    this.#context.onRefused({ user, device, address: transport.remoteAddress, error });
    const delay = this.#context.throttle.failed(hostOf(transport.remoteAddress));
    if (delay > 0) await pause(delay, options.clock, signal);
    throw error;
  }
}

/** Waits, but no longer than the connection lives. */
function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = clock.after(ms, resolve);
    const onAbort = guarded('refusal abort', warnProcess, () => {
      timer.cancel();
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function nameOf({ peer, transport }: Session): string {
  return peer === undefined ? transport.remoteAddress : `${peer.user}/${peer.device}`;
}

/** The address without its port. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}
