import { IotmpError, errorText, type ErrorCode } from '../../errors';
import type { Value } from '../../types';
import type { Clock } from '../../util/clock';
import { HubStates, type HubState } from './hub-state';
import { Subscription, type HubSubscriber, type SubscriptionOwner } from './hub-subscription';
import type { ResourceLink } from './resource-link';
import { RetryBackoff } from './retry-backoff';
import { StreamChannel, type StreamChannelOwner } from './stream-channel';
import { SubscriberGroup } from './subscriber-group';
import { detached, guarded } from '../../util/guard';

/** The part of a resource that its device streams use. */
export interface DeviceStreamPort {
  readonly clock: Clock;
  /** The resource on the device's connection, while there is one. */
  readonly link: ResourceLink | undefined;
  /** Something changed. An operation may be due now. */
  wake(): void;
  /** A subscriber has left. */
  onLeave(): void;
  write(payload: unknown): void;
  /** A sample of the device gave way to a newer one, as they come faster than was asked for. */
  onThinned(): void;
  warn(text: string): void;
}

/** Failures that a later attempt may not meet. */
const TEMPORARY: ReadonlySet<ErrorCode> = new Set([
  'IOTMP_ERR_TIMEOUT',
  'IOTMP_ERR_BUSY',
  'IOTMP_ERR_CLOSED',
]);

/** Failures of this end: the device never saw the START_STREAM. */
const UNSENT: ReadonlySet<ErrorCode> = new Set(['IOTMP_ERR_BUSY', 'IOTMP_ERR_ENCODE', 'IOTMP_ERR_TOO_LARGE']);

/** Time that a stream must have been open for its retries to begin with the shortest wait again, in ms. */
const SOUND_MS = 60_000;

/**
 * One of the two streams that a resource may have on its device: the periodic stream or the event stream. It says
 * which operation it needs. The resource runs the operations, one at a time.
 */
export class DeviceStream implements SubscriptionOwner, StreamChannelOwner {
  readonly clock: Clock;
  readonly #port: DeviceStreamPort;
  readonly #group = new SubscriberGroup();
  /** Subscriptions that asked for the stream and were not served yet. */
  readonly #asks = new Set<Subscription>();
  readonly #backoff: RetryBackoff;
  #channel: StreamChannel | undefined;
  #failure: HubState | undefined;
  #retryDue = false;
  #notified: HubState = HubStates.offline;
  readonly #onFault = (error: unknown): void => this.warn(errorText(error));

  constructor(port: DeviceStreamPort) {
    this.#port = port;
    this.clock = port.clock;
    this.#backoff = new RetryBackoff(port.clock, () => {
      this.#retryDue = true;
      port.wake();
    });
  }

  get state(): HubState {
    const { link } = this.#port;
    if (link === undefined) return HubStates.offline;
    if (this.#channel !== undefined) {
      if (!this.#channel.isOpen) return HubStates.starting;
      return this.#channel.stalled ? HubStates.stalled : HubStates.streaming;
    }
    if (this.#failure !== undefined) return this.#failure;
    const mayOpen = this.#asks.size > 0 || link.isOutput === true;
    return mayOpen || link.isUndecided ? HubStates.starting : HubStates.held;
  }

  get isSubscribed(): boolean {
    return this.#group.size > 0;
  }

  /** Whether the stream has subscribers, or is still open on the device. */
  get inUse(): boolean {
    return this.#group.size > 0 || this.#channel !== undefined;
  }

  /** Whether the stream can be written to. */
  get isUsable(): boolean {
    return this.#channel?.isUsable === true;
  }

  get mustStop(): boolean {
    return this.#group.size === 0 && this.isUsable;
  }

  /** Whether a START_STREAM has to go out: the first, or another one for a stream that is open. */
  get mustStart(): boolean {
    const { isOutput } = this.#port.link ?? {};
    const mustOpen = this.#wantsOpening && (this.#asks.size > 0 || isOutput === true);
    return mustOpen || (this.#group.size > 0 && this.#channel?.mustRestart === true);
  }

  /** The interval that the subscribers need now, in ms; 0 for events. */
  get intervalMs(): number {
    return this.#group.sharedInterval;
  }

  /** Whether DESCRIBE has to tell first if the resource is an output. */
  get needsLookup(): boolean {
    return this.#wantsOpening && this.#asks.size === 0 && this.#port.link?.isOutput === undefined;
  }

  get #wantsOpening(): boolean {
    if (this.#group.size === 0 || this.#channel !== undefined) return false;
    return this.#failure === undefined || this.#retryDue;
  }

  /** Adds a subscriber. This counts as asking for the stream, unless the subscriber is `unasked`. */
  join(subscriber: HubSubscriber, intervalMs: number): Subscription {
    const subscription = new Subscription(this, subscriber, intervalMs);
    const isFirst = this.#group.size === 0;
    this.#group.add(subscription);
    if (subscriber.unasked === true) this.#port.wake();
    else this.ask(subscription);
    if (isFirst) this.#notified = this.state;
    queueMicrotask(guarded('hub last sample', this.#onFault, () => this.#deliverLast(subscription)));
    return subscription;
  }

  leave(subscription: Subscription): void {
    this.#group.remove(subscription);
    this.#asks.delete(subscription);
    if (this.#group.size === 0) this.#clearFailure();
    this.#port.onLeave();
    this.#port.wake();
  }

  ask(subscription: Subscription): void {
    const channel = this.#channel;
    if (channel === undefined || !(channel.isOpening || channel.isOpen)) {
      this.#asks.add(subscription);
      this.#clearFailure();
    } else if (channel.stalled) {
      channel.requestRestart();
    }
    this.#port.wake();
  }

  /**
   * Writes into the stream.
   * @throws IotmpError as {@link StreamChannel.write}
   */
  writeHere(payload: unknown): void {
    if (this.#channel === undefined) throw new IotmpError('IOTMP_ERR_OFFLINE', 'the stream is not open');
    this.#channel.write(payload);
  }

  write(payload: unknown): void {
    this.#port.write(payload);
  }

  warn(text: string): void {
    this.#port.warn(text);
  }

  /** Opens the stream, or starts it again where it is open. */
  async start(link: ResourceLink): Promise<void> {
    if (this.#channel === undefined) await this.#open(link);
    else await this.#restart(this.#channel);
  }

  /** Has the stream started again if it is open. */
  requestRestart(): void {
    this.#channel?.requestRestart();
  }

  /** Stops the stream. */
  async stop(): Promise<void> {
    const channel = this.#channel;
    try {
      await channel?.stop();
    } catch (error) {
      this.warn(`the stream could not be stopped: ${errorText(error)}`);
    } finally {
      if (this.#channel === channel) this.#channel = undefined;
    }
  }

  /** The connection is gone, and the stream with it. */
  detach(): void {
    if (this.#channel?.isOpening === true) this.#asks.clear();
    this.#channel?.abandon();
    this.#channel = undefined;
    this.#clearFailure();
  }

  /** Tells the subscribers the state if it has changed. */
  refresh(): void {
    const { state } = this;
    if (state === this.#notified) return;
    this.#notified = state;
    this.#group.notify(state, () => this.#notified === state);
  }

  /** Ends the subscriptions. */
  closeAll(): void {
    this.#group.closeAll();
  }

  onSample(sample: Value | undefined, now: number, deviceIntervalMs: number): void {
    this.#group.deliver(sample, now, deviceIntervalMs);
  }

  onChange(): void {
    this.refresh();
    this.#port.wake();
  }

  onThinned(): void {
    this.#port.onThinned();
  }

  /** It stays stopped until somebody asks for it, or the device comes again. */
  onFlood(channel: StreamChannel, reason: IotmpError): void {
    if (this.#channel !== channel) return;
    this.#fail(reason, false);
    detached('hub flood stop', this.#onFault, channel.stop());
    this.onChange();
  }

  /** A stream also ends with its connection. In that case the device is offline by the end of this turn. */
  onEnd(channel: StreamChannel, reason: IotmpError): void {
    queueMicrotask(guarded('hub stream end', this.#onFault, () => this.#handleEnd(channel, reason)));
  }

  /** A failure to open the stream becomes its state. */
  async #open(link: ResourceLink): Promise<void> {
    const channel = new StreamChannel(this);
    this.#channel = channel;
    this.#clearFailure(false);
    this.#group.begin();
    try {
      await channel.open(link);
      if (this.#channel === channel) this.#asks.clear();
    } catch (error) {
      // The connection has ended meanwhile, and the subscribers already know.
      if (this.#channel !== channel) return;
      const failure = streamError(error);
      this.#fail(failure, TEMPORARY.has(failure.code));
    }
  }

  /** A failure to start the stream again is a warning: the stream goes on as it was. */
  async #restart(channel: StreamChannel): Promise<void> {
    try {
      await channel.restart();
    } catch (error) {
      if (this.#channel === channel) this.warn(`the stream could not be restarted: ${errorText(error)}`);
    }
  }

  #handleEnd(channel: StreamChannel, reason: IotmpError): void {
    if (this.#channel !== channel) return;
    if (this.clock.now() - channel.openedAt >= SOUND_MS) this.#backoff.reset();
    this.#fail(reason, true);
    this.#port.wake();
  }

  #fail(error: IotmpError, retry: boolean): void {
    this.#channel?.abandon();
    this.#channel = undefined;
    if (!UNSENT.has(error.code)) this.#asks.clear();
    if (this.#group.size === 0) return;
    this.#failure = Object.freeze({ kind: 'failed', error });
    if (retry) this.#backoff.schedule();
  }

  #clearFailure(isNewStart = true): void {
    this.#failure = undefined;
    this.#retryDue = false;
    if (isNewStart) this.#backoff.reset();
    else this.#backoff.cancel();
  }

  #deliverLast(subscription: Subscription): void {
    if (this.state.kind === 'streaming') this.#group.deliverLast(subscription);
  }
}

function streamError(error: unknown): IotmpError {
  if (error instanceof IotmpError) return error;
  return new IotmpError('IOTMP_ERR_HANDLER', errorText(error), { cause: error });
}
