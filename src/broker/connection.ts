import { ConnectCode } from '../codec/constants';
import { errorText, IotmpError } from '../errors';
import type { Session, ConnectRequest, SessionHooks } from '../session/session';
import type { WarningGate } from '../session/base/warning-gate';
import type { Transport } from '../transport/transport';
import type { Newcomer, WaitingPlace } from '../transport/waiting-place';
import { shownCertificate } from './certificate-identity';
import type { DirectoryAuthenticator } from './directory-authenticator';
import type { LoginHold } from './login-hold';
import type { ResolvedServerOptions } from './broker-options';
import type { ConnectedDevice } from './connected-device';
import { IotmpDevice } from './iotmp-device';
import { parseConnect, type ConnectIntent } from './connect-request';
import type { DevicePace } from './device-pace';
import type { DeviceId } from '../types';
import type { Login } from './login';
import type { DeviceRegistry } from './device-registry';
import type { LoginBrake, NotChecked } from './brake/login-brake';
import type { LoginTry } from './brake/login-try';
import { reasonOfEnd, reasonOfRefusal, refusedLogin } from './refusals/refusal';
import type { RefusalReason, RefusedLogin } from './refusals/refused-login';
import type { ServiceHost } from './service-host';
import type { TwinWatch } from './twin-watch';
import { isAwaitable } from '../util/awaitable';
import { pause } from '../util/pause';
import { PeerSession } from '../session/peer-session';

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly host: ServiceHost;
  readonly registry: DeviceRegistry;
  readonly brake: LoginBrake;
  readonly twins: TwinWatch;
  readonly pace: DevicePace;
  /** Is waited for before anything is decided about a login. */
  readonly hold: LoginHold;
  options(): ResolvedServerOptions;
  authenticator(): DirectoryAuthenticator;
  onConnected(device: ConnectedDevice): void;
  onDisconnected(device: ConnectedDevice, reason: IotmpError): void;
  /** For warnings about logins. */
  readonly warnings: WarningGate;
  onRefused(login: RefusedLogin): void;
  /** A login was refused, and so many are that this one is only counted. */
  onTurnedAway(login: RefusedLogin): void;
  /** @param about the device that the warning is about */
  onWarning(text: string, about?: string): void;
  /** Nothing is left of the connection. */
  onGone(connection: Connection): void;
}

/** One connection, from its first byte to its last: the login, and what comes of it (`protocol.md` section 4). */
export class Connection implements SessionHooks, Newcomer {
  readonly session: Session;
  readonly #context: ConnectionContext;
  readonly #place: WaitingPlace;
  /** What was asked for; forgotten once it is decided, as the credential is a part of it. */
  #intent: ConnectIntent | undefined;
  #device: ConnectedDevice | undefined;
  /** Id of the CONNECT, which the device has drawn; 0 without one. */
  #connectId = 0;
  /** A connection is refused once, although it may end before its login is decided. */
  #refused = false;
  /** The try whose check takes time. */
  #try: LoginTry | undefined;

  constructor(transport: Transport, context: ConnectionContext, place: WaitingPlace) {
    const { session, connectTimeoutMs } = context.options();
    this.#context = context;
    this.#place = place;
    this.session = new PeerSession(transport, context.host, this, session);
    this.session.expectConnect(connectTimeoutMs);
    place.holder = this;
  }

  /** Over TLS, the handshake was heard. */
  get hasSent(): boolean {
    const { transport, bytesIn } = this.session;
    return transport.kind === 'tls' || bytesIn > 0;
  }

  turnOut(text: string): void {
    this.#record('crowded', text);
    this.session.destroy(new IotmpError('IOTMP_ERR_BUSY', text));
    // A connection that was refused before waits for the peer's end no longer.
    this.session.transport.destroy();
  }

  /** Answers at once where it can. */
  onConnect(request: ConnectRequest): void | Promise<void> {
    this.#connectId = request.message.streamId ?? 0;
    const { opening } = this.#context.hold;
    if (opening === undefined) return this.#decide(request);
    return opening.then(() => (this.session.signal.aborted ? undefined : this.#decide(request)));
  }

  onOpen(): void {
    const intent = this.#intent;
    if (intent === undefined) return;
    this.#intent = undefined;
    this.#place.letIn();
    const { registry } = this.#context;
    // First, so that nobody hears of the newer connection before the older one is over.
    const older = registry.get(intent);
    if (older !== undefined) this.#takeOver(older);
    if (this.session.state !== 'open') return;
    this.#device = this.#welcome(intent);
    registry.add(this.#device);
    this.#context.onConnected(this.#device);
  }

  onClose(reason: IotmpError): void {
    if (this.#device !== undefined) {
      this.#context.registry.remove(this.#device);
      this.#context.onDisconnected(this.#device, reason);
    } else if (reason.code !== 'IOTMP_ERR_CLOSED') {
      this.#record(reasonOfEnd(reason), reason.message);
    }
    this.#intent = undefined;
    this.#try?.end();
    this.#try = undefined;
  }

  onGone(): void {
    this.#place.leave();
    this.#context.onGone(this);
  }

  /** What goes wrong before the login is in the record of refused logins. */
  onWarning(text: string): void {
    const { peer } = this.session;
    if (peer === undefined) return;
    const name = `${peer.user}/${peer.device}`;
    this.#context.onWarning(`${name}: ${text}`, name);
  }

  #takeOver(older: ConnectedDevice): void {
    older.close(new IotmpError('IOTMP_ERR_CLOSED', 'taken over by a newer connection'));
    this.#context.twins.note(older, older.address, this.session.transport.remoteAddress);
  }

  #welcome({ user, device, keepAliveMs, maxBodySize }: ConnectIntent): ConnectedDevice {
    const { session } = this;
    const record = this.#context.registry.record({ user, device });
    session.peer = record.id;
    session.ids = record.ids;
    if (this.#connectId !== 0) record.ids.notePeer(this.#connectId);
    session.maxBodySize = maxBodySize;
    const { keepAliveS, limits } = this.#context.options();
    session.pace = this.#context.pace.of(record.id, limits.messagesPerSecond);
    const intervalMs = keepAliveMs ?? keepAliveS * 1000;
    session.keepAlive({ intervalMs, sends: false });
    // In the same write as the OK, before the device opens streams of its own.
    session.stopLeft();
    return new IotmpDevice(record, session);
  }

  #decide(request: ConnectRequest): void | Promise<void> {
    let intent: ConnectIntent;
    try {
      intent = this.#intent = parseConnect(request);
    } catch (error) {
      this.#refuse(error);
    }
    const { session } = this;
    const charged = this.#context.brake.charge(session.transport, intent, () => session.signal);
    if (isAwaitable(charged)) return charged.then((turn) => this.#check(intent, turn));
    return this.#check(intent, charged);
  }

  #check(intent: ConnectIntent, turn: LoginTry | NotChecked): void | Promise<void> {
    if (turn === 'blocked') {
      this.#cut();
      return undefined;
    }
    if (turn === 'held') return this.#holdBack();
    try {
      const authenticator = this.#context.authenticator();
      const verdict = authenticator.authenticate(this.#loginOf(intent));
      if (isAwaitable(verdict)) return this.#wait(verdict, authenticator, intent, turn);
      this.#letIn(verdict, turn);
    } catch (error) {
      return this.#fail(turn, error);
    } finally {
      if (this.#try !== turn) turn.end();
    }
    return this.#slowDown(intent);
  }

  /** Another authenticator may be in charge by the time that this one has decided. */
  async #wait(
    verdict: PromiseLike<DeviceId>,
    authenticator: DirectoryAuthenticator,
    intent: ConnectIntent,
    turn: LoginTry,
  ): Promise<void> {
    turn.begin();
    this.#try = turn;
    try {
      const identity = await verdict;
      // Whoever does not wait for the verdict stays charged.
      if (this.#try !== turn) return;
      if (this.#context.authenticator() !== authenticator) {
        throw new IotmpError('IOTMP_ERR_AUTH', 'who may connect has changed meanwhile', {
          statusCode: ConnectCode.BAD_CREDENTIALS,
        });
      }
      this.#letIn(identity, turn);
    } catch (error) {
      this.#fail(turn, error);
    } finally {
      this.#try = undefined;
      turn.end();
    }
    await this.#slowDown(intent);
  }

  /** @throws IotmpError IOTMP_ERR_AUTH for a client that came in before certificates were asked for */
  #loginOf({ user, device, credential }: ConnectIntent): Login {
    const { transport } = this.session;
    const certificate = shownCertificate(transport, this.#context.options());
    return {
      user,
      device,
      credential,
      address: transport.remoteAddress,
      certificate,
    };
  }

  #letIn(identity: DeviceId, turn: LoginTry): void {
    turn.succeed();
    if (this.#intent !== undefined) this.#intent = { ...this.#intent, ...identity };
  }

  /** A device whose connections take each other's place waits before it is let in. */
  #slowDown(asked: ConnectIntent): void | Promise<void> {
    const waitMs = this.#intent === undefined ? 0 : this.#context.twins.waitMs(this.#intent);
    if (waitMs > 0) return this.#checkAgain(asked, waitMs);
  }

  /** Who may connect may change while a device waits: it is asked about once more. */
  async #checkAgain(asked: ConnectIntent, waitMs: number): Promise<void> {
    const { session } = this;
    await pause(waitMs, session.options.clock, session.signal);
    if (session.state === 'closed') return;
    try {
      await this.#context.authenticator().authenticate(this.#loginOf(asked));
    } catch (error) {
      this.#refuse(error);
    }
  }

  #fail(turn: LoginTry, cause: unknown): never {
    if (reasonOfRefusal(cause) === 'failed') turn.fail();
    return this.#refuse(cause);
  }

  #refuse(cause: unknown): never {
    const error = this.#asRefusal(cause);
    this.#record(reasonOfRefusal(cause), error.message);
    throw error;
  }

  /** The address is blocked: nothing is said to it. */
  #cut(): void {
    this.#refused = true;
    this.session.destroy(new IotmpError('IOTMP_ERR_RATE', 'the address is blocked'));
  }

  /** The login was not checked. The device is told so after a while; where too many wait to be told, it is cut. */
  #holdBack(): void | Promise<void> {
    const { session } = this;
    if (session.state === 'closed') return undefined;
    const { brake } = this.#context;
    const error = new IotmpError('IOTMP_ERR_RATE', 'too many logins were refused: this one was not checked', {
      statusCode: ConnectCode.BAD_CREDENTIALS,
    });
    const { remoteAddress } = session.transport;
    const held = brake.hold(remoteAddress, session.signal);
    if (held === undefined) {
      this.#refused = true;
      this.#context.onTurnedAway(refusedLogin(session.transport, 'rate', error.message, this.#intent));
      session.destroy(error);
      return undefined;
    }
    this.#record('rate', error.message);
    return held.then(() => {
      throw error;
    });
  }

  /** The device is not told why its login could not be checked. */
  #asRefusal(cause: unknown): IotmpError {
    if (cause instanceof IotmpError) return cause;
    const text = 'the login could not be checked';
    this.#context.warnings.warn(`${text}: ${errorText(cause)}`);
    return new IotmpError('IOTMP_ERR_AUTH', text, { cause });
  }

  #record(reason: RefusalReason, text: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#context.onRefused(refusedLogin(this.session.transport, reason, text, this.#intent));
  }
}
