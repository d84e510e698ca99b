import { errorText } from '../../errors';
import type { DeviceId, Value } from '../../types';
import { EventFilter } from './event-filter';
import type { ServiceStream } from '../service';

/** What was asked for, whichever way it was put. */
export interface SubscriptionRequest {
  readonly event: string;
  /** All parameters of the subscription, `event` among them. */
  readonly parameters: Readonly<Record<string, Value>>;
}

/** What a subscription needs of its service. */
export interface EventSubscriptionOwner {
  /** Serves it with the events of its name that pass its filter. */
  follow(subscription: EventSubscription): void;
  forget(subscription: EventSubscription): void;
  warn(text: string): void;
}

/** Serves subscriptions to one event in its own way (`protocol.md` section 7). */
export interface EventSource {
  /**
   * A device subscribes. What this gives is the payload of the OK, or a promise of it; what it throws refuses. From
   * then on {@link EventSubscription.deliver} reaches the device.
   */
  open(subscription: EventSubscription): unknown;
}

/** A device's subscription to an event, as its source sees it. It ends with the device's connection at the latest. */
export class EventSubscription {
  readonly event: string;
  /** All parameters of the subscription, `event` among them. */
  readonly parameters: Readonly<Record<string, Value>>;
  /** What the parameters' `filters` ask for. */
  readonly filter: EventFilter;
  readonly caller: DeviceId;
  /** What to do with data that the device sends; without it, it is let go. */
  onData: ((payload: Value | undefined) => void) | undefined = undefined;
  /** Called once when it has ended, whoever ended it, also by a refusal that comes later than {@link EventSource.open}. */
  onClose: (() => void) | undefined = undefined;
  readonly #stream: ServiceStream;
  readonly #owner: EventSubscriptionOwner;
  #complaint: string | undefined;

  /**
   * @internal made by a service
   * @throws IotmpError IOTMP_ERR_PROTOCOL for filters that are none
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
    stream.onData = (payload) => this.#guard(() => this.onData?.(payload));
    stream.onClose = () => {
      owner.forget(this);
      this.#guard(() => this.onClose?.());
    };
  }

  get closed(): boolean {
    return this.#stream.closed;
  }

  /**
   * Sends something to the device; what goes to many is a `Sample`, which is encoded once for all. Never throws: what cannot be sent, because it is too large for the device, is a
   * warning of the server, and one that reads too slowly loses the oldest that waits.
   */
  deliver(payload: unknown): void {
    this.#guard(() => void this.#stream.write(payload));
  }

  /** Serves it as events without a source of their own are: with each event of its name that passes the filter. */
  follow(): void {
    this.#owner.follow(this);
  }

  /** Ends it, and tells the device. Idempotent. */
  close(): void {
    this.#stream.close();
  }

  /** The same failure again and again is one warning. */
  warn(error: unknown): void {
    const { user, device } = this.caller;
    const complaint = `${this.event} for ${user}/${device}: ${errorText(error)}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#owner.warn(complaint);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.warn(error);
    }
  }
}
