import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { Session, type ConnectRequest } from '../session/session';
import type { SessionOptions } from '../session/session-options';
import { WarningGate } from '../session/warning-gate';
import type { Transport } from '../transport/transport';
import type { Authenticator } from './authenticator';
import type { FailedLogin } from './broker-events';
import type { ResolvedServerOptions } from './broker-options';
import { ConnectedDevice } from './connected-device';
import { parseConnect, type ConnectIntent } from './connect-request';
import type { DeviceRegistry } from './device-registry';
import { LoginBrake } from './login-brake';
import type { ServiceHost } from './service-host';

/** What the door needs of its server. */
export interface DoorPort {
  options(): ResolvedServerOptions;
  authenticator(): Authenticator;
  onConnected(device: ConnectedDevice): void;
  onDisconnected(device: ConnectedDevice, reason: IotmpError): void;
  onRefused(login: FailedLogin): void;
  onWarning(text: string): void;
}

/** One connection, from its first byte to its last. */
interface Visit {
  intent?: ConnectIntent;
  device?: ConnectedDevice;
  refused?: boolean;
}

/** Lets devices in: bounds how many there are, checks who they are, and sees to take-overs. */
export class Door {
  readonly #host: ServiceHost;
  readonly #registry: DeviceRegistry;
  readonly #port: DoorPort;
  readonly #brake: LoginBrake;
  readonly #sessions = new Set<Session>();
  readonly #warnings: WarningGate;
  #full = false;
  #shut = false;
  #onEmpty: (() => void) | undefined;

  constructor(host: ServiceHost, registry: DeviceRegistry, port: DoorPort) {
    this.#host = host;
    this.#registry = registry;
    this.#port = port;
    const { clock } = port.options();
    this.#brake = new LoginBrake(clock);
    this.#warnings = new WarningGate(clock, (text) => port.onWarning(text));
  }

  /** A connection was made. */
  enter(transport: Transport): void {
    const options = this.#port.options();
    if (this.#shut || this.#sessions.size >= options.maxConnections) {
      this.#turnAway(transport);
      return;
    }
    this.#full = false;
    const visit: Visit = {};
    const session: Session = new Session(
      transport,
      this.#host,
      {
        onConnect: (request) => this.#check(session, visit, request),
        onOpen: () => this.#letIn(session, visit),
        onClose: (reason) => this.#handleClose(session, visit, reason),
        onGone: () => this.#handleGone(session),
        onWarning: (text) => this.#port.onWarning(`${nameOf(session)}: ${text}`),
      },
      sessionLimits(options),
    );
    this.#sessions.add(session);
    session.expectConnect(options.connectTimeoutMs);
  }

  /** Lets devices in again after {@link close}. */
  open(): void {
    this.#shut = false;
  }

  /** Ends all connections, and takes no more; resolves when they are gone. */
  async close(): Promise<void> {
    this.#shut = true;
    for (const session of this.#sessions) {
      session.close(new IotmpError('IOTMP_ERR_CLOSED', 'the server was stopped'));
    }
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #turnAway(transport: Transport): void {
    if (!this.#shut && !this.#full) {
      this.#full = true;
      this.#warnings.warn('too many connections: new ones are turned away');
    }
    transport.start({ onData: ignore, onDrain: ignore, onClose: ignore });
    transport.destroy();
  }

  /** Answers at once where it can; a refusal waits when its address has failed before. */
  #check(session: Session, visit: Visit, request: ConnectRequest): void | Promise<void> {
    try {
      visit.intent = parseConnect(request);
      const authenticator = this.#port.authenticator();
      const verdict = authenticator.authenticate(visit.intent, visit.intent.credential);
      if (verdict === undefined) return undefined;
      return this.#wait(verdict, authenticator).catch((error: unknown) =>
        this.#refuse(session, visit, error),
      );
    } catch (error) {
      return this.#refuse(session, visit, error);
    }
  }

  /** Who decides may be another one by the time that he has decided. */
  async #wait(verdict: void | PromiseLike<void>, authenticator: Authenticator): Promise<void> {
    await verdict;
    if (this.#port.authenticator() !== authenticator) {
      throw new IotmpError('IOTMP_ERR_AUTH', 'who may connect has changed meanwhile', {
        statusCode: ConnectCode.BAD_CREDENTIALS,
      });
    }
  }

  async #refuse(session: Session, visit: Visit, cause: unknown): Promise<void> {
    const { intent } = visit;
    const error =
      cause instanceof IotmpError
        ? cause
        : new IotmpError('IOTMP_ERR_AUTH', 'the login could not be checked', { cause });
    const { transport, options } = session;
    visit.refused = true;
    this.#port.onRefused({
      user: intent?.user ?? '',
      device: intent?.device ?? '',
      address: transport.remoteAddress,
      error,
    });
    const delay = this.#brake.failed(hostOf(transport.remoteAddress));
    if (delay > 0) await pause(delay, options.clock, session.signal);
    throw error;
  }

  #letIn(session: Session, visit: Visit): void {
    const { intent } = visit;
    if (intent === undefined) return;
    const { user, device, keepAliveMs, maxBodySize } = intent;
    // First, so that nobody hears of the newer connection before the older one is over.
    const older = this.#registry.get(intent);
    older?.session.close(new IotmpError('IOTMP_ERR_CLOSED', 'taken over by a newer connection'));
    if (session.state !== 'open') return;
    const record = this.#registry.record(intent);
    session.peer = { user, device };
    session.ids = record.ids;
    session.outbox.maxBodySize = maxBodySize;
    const intervalMs = keepAliveMs ?? this.#port.options().keepAliveS * 1000;
    session.keepAlive({ intervalMs, sends: false });
    const connected = new ConnectedDevice(session.peer, session, record.lastKnown);
    visit.device = connected;
    this.#registry.add(connected);
    this.#port.onConnected(connected);
  }

  #handleClose({ transport }: Session, { device, refused }: Visit, reason: IotmpError): void {
    if (device === undefined) {
      if (refused === true || reason.code === 'IOTMP_ERR_CLOSED') return;
      this.#warnings.warn(`${transport.remoteAddress} did not log in: ${reason.message}`);
      return;
    }
    this.#registry.remove(device);
    this.#port.onDisconnected(device, reason);
  }

  #handleGone(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  }
}

function sessionLimits(options: ResolvedServerOptions): Partial<SessionOptions> {
  return {
    maxBodySize: options.maxMessageSize,
    requestTimeoutMs: options.requestTimeoutMs,
    clock: options.clock,
  };
}

/** Waits, but no longer than the connection lives. */
function pause(ms: number, clock: ResolvedServerOptions['clock'], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = clock.after(ms, resolve);
    signal.addEventListener(
      'abort',
      () => {
        timer.cancel();
        resolve();
      },
      { once: true },
    );
  });
}

function nameOf({ peer, transport }: Session): string {
  return peer === undefined ? transport.remoteAddress : `${peer.user}/${peer.device}`;
}

/** The address without its port. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}

function ignore(): void {
  // Turned away: nothing that it sends matters.
}
