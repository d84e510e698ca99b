import { ServiceCode } from '../codec/constants';
import { errorText, IotmpError } from '../errors';
import type { HostedResource } from '../session/hosting/hosted-resource';
import { IdSequence } from '../session/requests/id-sequence';
import type { ResourceDefinition } from '../session/hosting/resource';
import { ResourceRegistry } from '../session/hosting/resource-registry';
import { defaultSessionOptions } from '../session/base/session-options';
import type { Reading } from '../session/wire/reading-gate';
import { targetUrl } from '../transport/client-socket';
import type { Value } from '../types';
import { Backoff } from '../util/backoff';
import { guarded, warnProcess } from '../util/guard';
import { printable } from '../printable';
import { SafeEmitter } from '../util/safe-emitter';
import type { ClientEvents, ClientState } from './client-events';
import {
  clientIdentity,
  clientSettings,
  type ClientIdentity,
  type ClientOptions,
  type ClientSettings,
} from './client-options';
import type { ClientStream, ClientStreamListener } from './client-stream';
import { ReconnectingStream } from './reconnecting-stream';
import { checkListener, startFields, type ClientStreamOptions } from './client-stream-options';
import { openSession } from './connect-attempt';
import { LooseEnds } from './loose-ends';
import { Readiness } from './readiness';
import { ReconnectLoop } from './reconnect-loop';
import { propertySubscription, Services, type LockOptions } from './services';
import { TopicPublishers, type TopicPublishOptions } from './topic-publishers';
import type { CallOptions, Reply, RequestOptions } from '../session/requests/reply';

/**
 * A device: connects to an IoTMP server and stays connected, offers resources to it, and uses the server's. Resources
 * and streams belong to the client, not to a connection: they are there again after each reconnect.
 *
 * ```ts
 * const client = new IotmpClient({ host: 'localhost', user: 'ada', device: 'pump', credential: 'secret' });
 * client.host('pressure', { kind: 'output', run: () => 2.5 });
 * client.connect();
 * await client.ready();
 * await client.setProperty('location', { lat: 59.3, lon: 18.1 });
 * ```
 */
export class IotmpClient extends SafeEmitter<ClientEvents> {
  /** What this device offers to the server. */
  readonly resources = new ResourceRegistry();
  readonly #settings: ClientSettings;
  readonly #ids = new IdSequence();
  readonly #streams = new Set<ReconnectingStream>();
  readonly #looseEnds = new LooseEnds();
  readonly #readiness = new Readiness();
  readonly #services: Services;
  readonly #publishers: TopicPublishers;
  readonly #loop: ReconnectLoop;
  #identity: ClientIdentity;

  /** @throws IotmpError IOTMP_ERR_CONFIG naming the option that is not usable */
  constructor(options: ClientOptions) {
    super();
    const settings = clientSettings(options);
    this.#settings = settings;
    this.#identity = settings.identity;
    this.#services = new Services({
      requestTimeoutMs: settings.requestTimeoutMs,
      call: (resource, callOptions) => this.call(resource, callOptions),
    });
    this.#publishers = new TopicPublishers({
      isOnline: () => this.state === 'open',
      stream: (resource, streamOptions, listener) => this.stream(resource, streamOptions, listener),
    });
    this.#loop = new ReconnectLoop({
      clock: settings.clock,
      backoff: this.#newBackoff(),
      looseEnds: this.#looseEnds,
      retryRefusedMs: settings.retryRefusedMs,
      open: (signal, connections) => this.#open(signal, connections),
      onState: (state, error) => this.#handleState(state, error),
    });
  }

  get state(): ClientState {
    return this.#loop.state;
  }

  /** What went wrong last; `undefined` while the client is open. */
  get lastError(): IotmpError | undefined {
    return this.#loop.error;
  }

  /** Who the client says it is. */
  get user(): string {
    return this.#identity.user;
  }

  get device(): string {
    return this.#identity.device;
  }

  /** The server as a URL, for people to read. */
  get url(): string {
    return targetUrl(this.#settings.target);
  }

  /** The connection while it is open, which is not read while somebody cannot pass on what comes. */
  get reading(): Reading | undefined {
    return this.#loop.session?.reading;
  }

  /**
   * Connects, and connects again whenever the connection is lost, until {@link close}. After a refusal it makes
   * another attempt; otherwise calling it again does nothing.
   * @throws IotmpError IOTMP_ERR_CLOSED after {@link close}
   */
  connect(): void {
    if (this.state === 'closed') throw closedError();
    this.#loop.start();
  }

  /**
   * Resolves when the client is open; at once if it is. Rejects when the server refuses the client (IOTMP_ERR_AUTH,
   * IOTMP_ERR_CONFIG, IOTMP_ERR_PROTOCOL) and when the client is closed (IOTMP_ERR_CLOSED).
   */
  ready(): Promise<void> {
    const { state, error = closedError() } = this.#loop;
    if (state === 'open') return Promise.resolve();
    return state === 'refused' || state === 'closed' ? Promise.reject(error) : this.#readiness.wait();
  }

  /**
   * Takes over another identity. If that changes anything, a client that was started connects anew at once, also
   * after a refusal.
   * @throws IotmpError IOTMP_ERR_CONFIG; then nothing has changed
   */
  update(changes: Partial<ClientIdentity>): void {
    const { user, device, credential } = this.#identity;
    const next = clientIdentity({
      user: changes.user ?? user,
      device: changes.device ?? device,
      credential: changes.credential ?? credential,
    });
    if (next.user === user && next.device === device && next.credential === credential) return;
    this.#identity = next;
    this.#loop.restart(new IotmpError('IOTMP_ERR_CLOSED', 'the client connects with another identity'));
  }

  /**
   * Ends the connection in good order and makes no further attempt until {@link connect}. Hosted resources and
   * streams are kept for it. Resolves when no socket and no timer is left.
   */
  async disconnect(): Promise<void> {
    this.#loop.rest(new IotmpError('IOTMP_ERR_CLOSED', 'the client disconnected'));
    await this.#looseEnds.settled();
  }

  /**
   * Ends the connection in good order, and everything else, for good. Requests that wait are rejected. Resolves when
   * no socket and no timer is left. Idempotent.
   */
  async close(): Promise<void> {
    this.#loop.stop(closedError());
    await this.#looseEnds.settled();
  }

  /**
   * Offers a resource to the server, now and after every reconnect, until {@link HostedResource.remove}.
   * @throws IotmpError IOTMP_ERR_CONFIG on a bad pattern, IOTMP_ERR_CONFLICT when pattern or number is taken
   */
  host(pattern: string, definition: ResourceDefinition): HostedResource {
    return this.resources.host(pattern, definition);
  }

  /**
   * Runs a resource of the server, by name, or by number for one of its services (`protocol.md` section 5).
   * @throws IotmpError (as a rejection) IOTMP_ERR_OFFLINE unless the client is open, or as a request does
   */
  async call(resource: unknown, options?: CallOptions): Promise<Reply> {
    return this.#session().call(resource, options);
  }

  /**
   * Asks what the server offers, or, of one resource, for samples of its data (`protocol.md` section 5).
   * @throws IotmpError (as a rejection) as {@link call} does
   */
  async describe(resource?: unknown, options?: RequestOptions): Promise<Reply> {
    return this.#session().describe(resource, options);
  }

  /**
   * Opens a stream on a resource of the server, once the client is open and after every reconnect, until it is closed
   * (`protocol.md` section 6). Resource 8 subscribes to events (section 7).
   * @throws IotmpError IOTMP_ERR_CONFIG for bad options or a listener without onSample, IOTMP_ERR_BUSY past 1024 streams, IOTMP_ERR_CLOSED
   */
  stream(resource: unknown, options: ClientStreamOptions, listener: ClientStreamListener): ClientStream {
    if (this.state === 'closed') throw closedError();
    checkListener(listener);
    const fields = startFields(options);
    if (this.#streams.size >= defaultSessionOptions.maxStreams) {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many streams are open');
    }
    const port = {
      clock: this.#settings.clock,
      backoff: this.#newBackoff(),
      forget: (closed: ReconnectingStream): void => void this.#streams.delete(closed),
      warn: (text: string): void => this.#warn(text),
    };
    const stream = new ReconnectingStream(port, { resource, fields, listener });
    this.#streams.add(stream);
    if (this.#loop.session !== undefined) stream.begin(this.#loop.session);
    stream.announce();
    return stream;
  }

  /**
   * Subscribes to events of the server, such as `{ event: 'device_state_change', filters: { device: 'lamp' } }`, or to
   * the messages of topics: `{ event: 'device_topic_publish', scope: 'subscribe', topic: 'doors/+/state' }`
   * (`protocol.md` section 7). As with any {@link stream}, it is there again after each reconnect.
   * @throws IotmpError as {@link stream} does
   */
  subscribeEvent(
    parameters: Readonly<Record<string, unknown>> & { readonly event: string },
    listener: ClientStreamListener,
  ): ClientStream {
    return this.stream(ServiceCode.SUBSCRIBE_EVENT, { parameters }, listener);
  }

  /**
   * Publishes a message to a topic of the server; resolves when it was sent. Rejects as {@link call} does, and when the
   * server refuses the topic.
   */
  publishTopic(topic: string, payload: unknown, options?: TopicPublishOptions): Promise<void> {
    return this.#publishers.publish(topic, payload, options);
  }

  /** Reads a property of this device from the server; null if there is none. Rejects as {@link call} does. */
  getProperty(name: string, options?: RequestOptions): Promise<Value> {
    return this.#services.getProperty(name, options);
  }

  /** Stores a property of this device at the server. Rejects as {@link call} does. */
  setProperty(name: string, value: unknown, options?: RequestOptions): Promise<void> {
    return this.#services.setProperty(name, value, options);
  }

  /**
   * Hears the value of a property of this device: the current one, if there is one, and each new one, null when it is
   * removed. After every reconnect the current one comes again; without `current` only changes do. It lasts until it is
   * closed. Throws as {@link stream} does.
   */
  watchProperty(
    name: string,
    listener: ClientStreamListener,
    { current = true }: { readonly current?: boolean } = {},
  ): ClientStream {
    return this.stream(ServiceCode.SUBSCRIBE_EVENT, propertySubscription(name, current), listener);
  }

  /** Runs a resource of another device of the same user, and gives its output. Rejects as {@link call} does. */
  callDevice(
    device: string,
    resource: string,
    payload?: unknown,
    options?: RequestOptions,
  ): Promise<Value | undefined> {
    return this.#services.callDevice(device, resource, payload, options);
  }

  /** Calls an endpoint of the server, and gives what it answers. Rejects as {@link call} does. */
  callEndpoint(name: string, data?: unknown, options?: RequestOptions): Promise<Value | undefined> {
    return this.#services.callEndpoint(name, data, options);
  }

  /** Writes a map of values to a bucket of the server. Rejects as {@link call} does. */
  writeBucket(name: string, values: unknown, options?: RequestOptions): Promise<void> {
    return this.#services.writeBucket(name, values, options);
  }

  /**
   * Takes a lock at the server, and gives what it answers: `{lock}`, the name to unlock it by. It is lost with the
   * connection. Rejects as {@link call} does; with status 423 when it is not free in time.
   */
  lock(name: string, options?: LockOptions): Promise<Value | undefined> {
    return this.#services.lock(name, options);
  }

  /** Gives a lock back; without a name, the one that was taken first. Rejects as {@link call} does. */
  async unlock(
    name: string,
    { lock, ...options }: RequestOptions & { readonly lock?: string | undefined } = {},
  ): Promise<void> {
    return this.#services.unlock(name, lock, options);
  }

  #open(signal: AbortSignal, connections: LooseEnds): ReturnType<typeof openSession> {
    const context = {
      settings: this.#settings,
      identity: this.#identity,
      ids: this.#ids,
      resources: this.resources,
      connections,
      onWarning: (text: string): void => this.#warn(text),
    };
    return openSession(context, signal);
  }

  #session(): NonNullable<ReconnectLoop['session']> {
    const { session, error } = this.#loop;
    if (session !== undefined) return session;
    throw new IotmpError('IOTMP_ERR_OFFLINE', `not connected to ${this.url}`, { cause: error });
  }

  #handleState(state: ClientState, error: IotmpError | undefined): void {
    // Later, so that a listener finds the client at rest, whatever it does to it.
    queueMicrotask(guarded('client state', warnProcess, () => this.tell('state', state, error)));
    if (state === 'open') this.#readiness.settle();
    else if (state === 'refused' || state === 'closed') this.#readiness.settle(this.#loop.error);
    for (const stream of [...this.#streams]) this.#moveStream(stream, state);
  }

  #moveStream(stream: ReconnectingStream, state: ClientState): void {
    // A stream before this one may have told its owner, who closed something.
    if (state !== this.state || stream.closed) return;
    if (this.#loop.session !== undefined) stream.begin(this.#loop.session);
    else if (state === 'closed') stream.end(closedError());
    else stream.suspend();
  }

  #warn(text: string): void {
    queueMicrotask(guarded('client warning', warnProcess, () => this.tell('warning', printable(text))));
  }

  /** A listener of `warning` that throws is one more cause for a warning, but not of this client. */
  protected override handleListenerFault(name: string, error: unknown): void {
    const text = `a listener of ${name} failed: ${errorText(error)}`;
    if (name === 'warning') warnProcess(text);
    else this.#warn(text);
  }

  #newBackoff(): Backoff {
    const { reconnect, random } = this.#settings;
    return new Backoff({ ...reconnect, random });
  }
}

function closedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the client was closed');
}
