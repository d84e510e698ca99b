import { errorText, IotmpError } from '../../errors';
import type { DeviceRequest } from '../../rights/device-request';
import type { DeviceId, Value } from '../../types';
import { MessageLimits } from '../../session/samples/message-queue';
import { EventFilter } from './event-filter';
import type { ServiceStream } from '../service';

/** A request for a subscription, the same for all forms of the message. */
export interface SubscriptionRequest {
  readonly event: string;
  /** All parameters of the subscription, `event` among them. */
  readonly parameters: Readonly<Record<string, Value>>;
}

/** The part of the service that its subscriptions use. */
export interface EventSubscriptionOwner {
  /** Serves the subscription with the events of its name that pass its filter. */
  follow(subscription: EventSubscription): void;
  forget(subscription: EventSubscription): void;
  /** Checks a right until the returned function is called, and calls `onLost` when it is gone. Throws without the right. */
  hold(request: DeviceRequest, onLost: (reason: IotmpError) => void): () => void;
  /** Counts messages that were lost because the device reads too slowly. */
  lost(count: number): void;
  /** Counts a subscription that ended because the device reads too slowly. */
  ended(): void;
  warn(text: string): void;
}

/** Serves subscriptions to one event in its own way (`protocol.md` section 7). */
export interface EventSource {
  /**
   * Opens a subscription of a device. Returns the payload of the OK, or a promise of the payload. An exception refuses
   * the subscription. After the return, {@link EventSubscription.deliver} reaches the device.
   */
  open(subscription: EventSubscription): unknown;
}

/** Maximum number of samples that wait for a slow device. */
const MAX_SAMPLES = 64;

/** A device's subscription to an event, as its source sees it. It ends with the device's connection at the latest. */
export class EventSubscription {
  readonly event: string;
  /** All parameters of the subscription, `event` among them. */
  readonly parameters: Readonly<Record<string, Value>>;
  /** The filter from the parameters' `filters`. */
  readonly filter: EventFilter;
  readonly caller: DeviceId;
  /** Called with data that the device sends. By default, the data is dropped. */
  onData: ((payload: Value | undefined) => void) | undefined = undefined;
  /** Called once when the subscription has ended on either side, also by a refusal after {@link EventSource.open}. */
  onClose: (() => void) | undefined = undefined;
  /** Called whenever all payloads that had to wait for the device have been sent. */
  onDrain: (() => void) | undefined = undefined;
  readonly #stream: ServiceStream;
  /** Whether messages were lost since the queue was last empty. */
  #losing = false;
  readonly #owner: EventSubscriptionOwner;
  #complaint: string | undefined;
  /** Give back the rights that it needs. */
  readonly #releases: (() => void)[] = [];

  /**
   * @internal made by a service
   * @throws IotmpError IOTMP_ERR_PROTOCOL for bad filters
   */
  constructor(
    owner: EventSubscriptionOwner,
    stream: ServiceStream,
    { event, parameters }: SubscriptionRequest,
  ) {
    this.event = event;
    this.parameters = parameters;
    this.filter = new EventFilter(parameters.filters);
    this.caller = stream.caller;
    this.#stream = stream;
    this.#owner = owner;
    stream.onDrain = () => {
      this.#losing = false;
      this.#guard(() => this.onDrain?.());
    };
    stream.onData = (payload) => this.#guard(() => this.onData?.(payload));
    stream.onClose = () => {
      owner.forget(this);
      for (const release of this.#releases.splice(0)) release();
      this.#guard(() => this.onClose?.());
    };
  }

  get closed(): boolean {
    return this.#stream.closed;
  }

  /** Makes this a subscription to samples: only a few wait for a slow device. */
  carrySamples(): void {
    this.#stream.limits = { ...MessageLimits.lossy, items: MAX_SAMPLES };
  }

  /** Makes this a subscription that loses no message. It ends when too many bytes wait for the device. */
  carryAssured(): void {
    this.#stream.limits = MessageLimits.assured;
  }

  /**
   * Sends a payload to the device. A `Sample` goes to many devices and is encoded once for all of them. Returns false if
   * the payload waits for a slow device. Never throws: a payload that is too large for the device becomes a warning of the
   * server. If too much waits, the oldest payload is lost or the subscription ends.
   */
  deliver(payload: unknown): boolean {
    const { dropped } = this.#stream;
    try {
      const sent = this.#stream.write(payload);
      if (this.#stream.dropped > dropped) this.#lose(this.#stream.dropped - dropped);
      return sent;
    } catch (error) {
      if (error instanceof IotmpError && error.code === 'IOTMP_ERR_BUSY') this.#noteEnd(error);
      else this.warn(error);
      return true;
    }
  }

  /** Ends the subscription of a device that reads too slowly, and tells the device the reason. */
  endSlow(reason: IotmpError): void {
    if (this.closed) return;
    this.#noteEnd(reason);
    this.#stream.close(reason);
  }

  /**
   * Checks a right that the subscription needs for as long as it is open. When rules take it away, the subscription ends.
   * @throws IotmpError IOTMP_ERR_FORBIDDEN
   */
  need(request: DeviceRequest): void {
    this.#releases.push(this.#owner.hold(request, (reason) => this.#stream.close(reason)));
  }

  /** Serves the subscription without a source: with each event of its name that passes the filter. */
  follow(): void {
    this.#owner.follow(this);
  }

  /** Ends the subscription and tells the device. Idempotent. */
  close(): void {
    this.#stream.close();
  }

  /** Warns of a failure, once while the same failure repeats. */
  warn(error: unknown): void {
    const { user, device } = this.caller;
    const complaint = `${this.event} for ${user}/${device}: ${errorText(error)}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#owner.warn(complaint);
  }

  #noteEnd(reason: IotmpError): void {
    this.#owner.ended();
    this.warn(`the subscription has ended: ${reason.message}`);
  }

  /** Warns once each time that the device falls behind. */
  #lose(count: number): void {
    this.#owner.lost(count);
    if (this.#losing) return;
    this.#losing = true;
    this.#complaint = undefined;
    this.warn('messages are lost: the device reads too slowly');
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.warn(error);
    }
  }
}
