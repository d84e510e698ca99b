import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { errorText, IotmpError } from '../errors';
import type { HostedResource } from '../session/hosting/hosted-resource';
import type { ResourceDefinition } from '../session/hosting/resource';
import type { Transport } from '../transport/transport';
import type { DeviceId } from '../types';
import { warnProcess } from '../util/guard';
import { SafeEmitter } from '../util/safe-emitter';
import { Admission } from './admission';
import type { DeviceDirectory } from './directory-authenticator';
import type { AddressBlock } from './brake/address-blocks';
import { LoginBrake } from './brake/login-brake';
import type { ListenerKind, ServerEvents } from './broker-events';
import { serverOptions, type ResolvedServerOptions, type ServerOptions } from './broker-options';
import type { ConnectedDevice } from './connected-device';
import { deviceConnected, deviceDisconnected, loginFailed } from './device-events';
import { DeviceRegistry } from './device-registry';
import { ConnectionAcceptor, type ConnectionAcceptorPort } from './connection-acceptor';
import { warnOfFileLimit } from './doors/file-limit';
import { UpgradeDoor } from './doors/upgrade-door';
import { EventFeed } from './event-feed';
import { StreamHub, type HubSubscriber, type HubSubscription } from './hub/stream-hub';
import type { LastKnownStates } from './last-known';
import type { ListenerStatus } from './listener';
import { ListenerSet } from './listener-set';
import { refusedLogin } from './refusals/refusal';
import { RefusalRecorder } from './refusals/refusal-recorder';
import type { RefusedLogin } from './refusals/refused-login';
import type { RefusedLogins } from './refusals/refused-logins';
import type { ServerLimits } from './server-limits';
import { ServiceHost } from './service-host';
import { TwinWatch } from './twin-watch';
import { WarningLines } from './warning-lines';
import type { CallOptions, Reply } from '../session/requests/reply';

/**
 * An IoTMP server: listeners, the devices that are connected, calls to them and shared streams from them, and
 * the resources that it offers itself.
 */
export class IotmpServer extends SafeEmitter<ServerEvents> {
  /** What this server offers to devices. */
  readonly host = new ServiceHost();
  /** What happens on this server, by the names that programs for the protocol know. */
  readonly events = new EventFeed((text) => this.warn(text));
  readonly #refusals: RefusalRecorder;
  readonly #warnings: WarningLines;
  readonly #brake: LoginBrake;
  readonly #registry = new DeviceRegistry({ limits: () => this.limits, warn: (text) => this.warn(text) });
  readonly #hub: StreamHub;
  readonly #connections: ConnectionAcceptor;
  readonly #upgrades: UpgradeDoor;
  readonly #admission: Admission;
  readonly #twins: TwinWatch;
  readonly #listeners: ListenerSet;
  #options: ResolvedServerOptions;
  #running = false;
  #closing: Promise<void> | undefined;

  /** @throws IotmpError IOTMP_ERR_CONFIG */
  constructor(options: ServerOptions = {}) {
    super();
    this.#options = serverOptions(options);
    const { clock } = this.#options;
    this.#admission = new Admission(this.#options);
    this.#warnings = new WarningLines(clock, (line, ...cause) => this.tell('warning', line, ...cause));
    const onWarning = (text: string, about?: string): void => this.#warnings.warn(text, about);
    this.#refusals = new RefusalRecorder(clock, this.#warnings.budget, {
      onLine: (line) => this.tell('refusal', line),
      onRecorded: (login) => this.#handleRefused(login),
    });
    this.#hub = new StreamHub({ clock, onWarning });
    this.#twins = new TwinWatch(clock, (text) => this.warn(text));
    this.#brake = new LoginBrake(clock, this.#refusals);
    const port: ConnectionAcceptorPort = {
      host: this.host,
      brake: this.#brake,
      registry: this.#registry,
      hold: this.#admission.hold,
      twins: this.#twins,
      options: () => this.#options,
      authenticator: () => this.#admission.authenticator,
      onConnected: (device) => this.#handleConnected(device),
      onDisconnected: (device, reason) => this.#handleDisconnected(device, reason),
      onRefused: (login) => this.#refusals.refuse(login),
      onTurnedAway: (login) => this.#refusals.turnAway(login),
      onWarning,
    };
    this.#connections = new ConnectionAcceptor(port, clock);
    this.#listeners = new ListenerSet({
      onArrival: (origin) => this.#connections.admit(origin),
      onTransport: (transport, place) => this.#connections.accept(transport, place),
      onRefused: (refusal) => this.#refusals.refuse(refusedLogin(refusal, refusal.reason, refusal.text)),
      onStatus: (kind, status) => this.tell('listener', kind, status),
      onWarning: (text) => this.warn(text),
    });
    this.#upgrades = new UpgradeDoor({ ...port, onTransport: (transport) => this.accept(transport) });
  }

  /** The record of refused logins. */
  get refusedLogins(): RefusedLogins {
    return this.#refusals.logins;
  }

  /** Whether the server was started and not closed. */
  get running(): boolean {
    return this.#running;
  }

  /** The connected devices. */
  get devices(): IterableIterator<ConnectedDevice> {
    return this.#registry.values();
  }

  /** Number of connected devices. */
  get deviceCount(): number {
    return this.#registry.size;
  }

  /** The registered devices, without their credentials. */
  get registered(): readonly DeviceId[] {
    return this.#options.devices.map(({ user, device }) => ({ user, device }));
  }

  /** Whether a device is registered. */
  isRegistered(id: DeviceId): boolean {
    return this.#admission.isRegistered(id);
  }

  /** Whether a device would be let in with the right credential, as far as the server knows. */
  mayConnect(id: DeviceId): boolean {
    return this.#admission.mayConnect(id);
  }

  /** The user that is meant where none is given: that of the first registered, else of the first connected device. */
  get defaultUser(): string {
    const [first] = this.#registry.values();
    return this.#admission.firstUser ?? first?.user ?? '';
  }

  /** Number of connections that took the place of an older one of their device. */
  get takeOvers(): number {
    return this.#twins.takeOvers;
  }

  /** Whether devices that are not registered are let in. */
  get anonymous(): boolean {
    return this.#admission.anonymous;
  }

  /** The addresses that are blocked because nobody was let in from there and too many logins were refused. */
  get blockedAddresses(): readonly AddressBlock[] {
    return this.#brake.blocks;
  }

  /** Ends the block of an address, as {@link blockedAddresses} names it. Returns false where there is none. */
  liftBlock(address: string): boolean {
    return this.#brake.lift(address);
  }

  /**
   * Lets in the devices of a directory, too, until the returned function is called. About those that it has it
   * alone decides; whoever is taken out of it is not cut off: that is for its owner to do.
   */
  addDirectory(directory: DeviceDirectory): () => void {
    return this.#admission.addDirectory(directory);
  }

  /**
   * Has those who log in wait until the returned function is called: for when {@link configure} is to follow, and those
   * who will be let in should not be refused before. They wait no longer than they have to log in.
   */
  holdLogins(): () => void {
    return this.#admission.hold.hold();
  }

  /** A device, while it is connected. */
  device(id: DeviceId): ConnectedDevice | undefined {
    return this.#registry.get(id);
  }

  /** What was last seen of a device's resources, connected or not (`protocol.md` section 5). */
  lastKnown(id: DeviceId): LastKnownStates | undefined {
    return this.#registry.lastKnown(id);
  }

  /** Forgets what is remembered of a device that is away, as when it is removed from a directory. */
  forget(id: DeviceId): void {
    this.#registry.forget(id);
  }

  /** How much the server takes and keeps. */
  get limits(): ServerLimits {
    return this.#options.limits;
  }

  /** Number of samples of devices that gave way to newer ones, as they came faster than was asked for. */
  get samplesThinned(): number {
    return this.#hub.thinned;
  }

  /** Number of last known states that gave way to newer ones, as their memory is bounded. */
  get statesDropped(): number {
    return this.#registry.statesDropped;
  }

  /** How the listeners stand. */
  get listenerStatus(): ReadonlyMap<ListenerKind, ListenerStatus> {
    return this.#listeners.statuses;
  }

  /**
   * Opens the listeners. Resolves when each of them has listened or failed once; failed ones are tried again,
   * see the `listener` event.
   */
  async start(): Promise<void> {
    this.#running = true;
    while (this.#closing !== undefined) await this.#closing;
    if (!this.running) return;
    warnOfFileLimit(this.#options.maxConnections, (text) => this.warn(text));
    this.#connections.open();
    await this.#updateListeners();
  }

  /** Ends listeners, connections and streams; resolves when nothing is left. The server can be started again. */
  close(): Promise<void> {
    // One that was started meanwhile has to be ended once more.
    if (this.#closing !== undefined && !this.#running) return this.#closing;
    this.#running = false;
    const closing = this.#end().finally(() => {
      if (this.#closing === closing) this.#closing = undefined;
    });
    this.#closing = closing;
    return closing;
  }

  /**
   * Takes over new options. Only what changed is restarted: listeners whose address or certificate is another,
   * and the connections of devices that would not be let in any more. Limits of connections that stay are as they were.
   * @throws IotmpError IOTMP_ERR_CONFIG; then nothing has changed
   */
  async configure(options: ServerOptions): Promise<void> {
    const next = serverOptions(options);
    const keeps = this.#admission.configure(next);
    const isMore = next.maxConnections > this.#options.maxConnections;
    this.#options = next;
    this.#connections.review();
    this.#upgrades.reset();
    if (isMore) warnOfFileLimit(next.maxConnections, (text) => this.warn(text));
    for (const device of [...this.#registry.values()]) {
      if (!keeps(device)) device.close(new IotmpError('IOTMP_ERR_AUTH', 'the device has to log in again'));
    }
    if (this.#running) await this.#updateListeners();
  }

  /**
   * Shows another certificate on the TLS port from now on. Clients that another authority vouched for log in again.
   * @throws IotmpError IOTMP_ERR_LISTEN when it cannot be used; then nothing has changed
   */
  renewTls(tls: TlsOptions): void {
    this.#listeners.renew(tls);
    this.#options = { ...this.#options, tls };
    this.#connections.review();
  }

  /**
   * Takes over a WebSocket upgrade of an HTTP server. The caller has checked the path.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#running) this.#upgrades.take(request, socket, head);
    else socket.destroy();
  }

  /** Address of the client of an HTTP request, with its port where that is known: one that a trusted proxy names counts. */
  clientAddress(request: IncomingMessage): string {
    return this.#options.proxies.clientOf(request);
  }

  /** Takes over a connection that was made elsewhere, such as one of a test; after {@link close} it is cut. */
  accept(transport: Transport): void {
    this.#connections.accept(transport);
  }

  /**
   * Offers a resource of the server to all devices.
   * @throws IotmpError IOTMP_ERR_CONFIG on a bad pattern, IOTMP_ERR_CONFLICT when it is taken
   */
  offer(pattern: string, definition: ResourceDefinition): HostedResource {
    return this.host.resources.host(pattern, definition);
  }

  /**
   * Calls a resource of a device.
   * @throws IotmpError (as a rejection) IOTMP_ERR_OFFLINE, IOTMP_ERR_NO_INPUT, or as a request does
   */
  call(target: DeviceId, resource: string, options?: CallOptions): Promise<Reply> {
    return this.#registry.call(target, resource, options);
  }

  /** Subscribes to a resource of a device, connected or not; see {@link StreamHub.subscribe}. */
  subscribe(target: DeviceId, resource: string, subscriber: HubSubscriber): HubSubscription {
    return this.#hub.subscribe(target, resource, subscriber);
  }

  /**
   * Emits `warning`: something deserves a line in a log. It never throws.
   * @param cause the error that the warning tells of
   * @param about the device that it is about, `user/device`: its lines have a budget of their own
   */
  warn(text: string, cause?: IotmpError, about?: string): void {
    this.#warnings.warn(text, about, cause);
  }

  #handleConnected(device: ConnectedDevice): void {
    this.#hub.deviceConnected(device, device);
    this.tell('connected', device);
    this.events.publish(deviceConnected(device));
  }

  #handleDisconnected(device: ConnectedDevice, reason: IotmpError): void {
    this.#hub.deviceDisconnected(device, device);
    this.tell('disconnected', device, reason);
    this.events.publish(deviceDisconnected(device, reason));
  }

  #handleRefused(login: RefusedLogin): void {
    this.tell('authenticationFailed', login);
    this.events.publish(loginFailed(login));
  }

  /** Of a listener of `warning` that throws only the process can be told. */
  protected override handleListenerFault(name: string, error: unknown): void {
    const text = `a listener of ${name} failed: ${errorText(error)}`;
    if (name === 'warning') warnProcess(text);
    else this.warn(text);
  }

  async #end(): Promise<void> {
    this.#upgrades.reset();
    await Promise.all([this.#updateListeners(), this.#connections.close()]);
    this.#refusals.close();
    this.#warnings.close();
  }

  #updateListeners(): Promise<void> {
    return this.#listeners.update(() => (this.#running ? this.#options : undefined));
  }
}
