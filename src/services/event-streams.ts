import type { IotmpServer } from '../broker/broker';
import { ServiceCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { contentRequests, eventRequest, type DeviceRequest } from '../rights/device-request';
import type { DeviceRights } from '../rights/device-rights';
import { WarningGate } from '../session/base/warning-gate';
import { systemClock, type Clock } from '../util/clock';
import { deviceKey } from '../util/device-key';
import { EventIndex } from './events/event-index';
import { isEventName } from './event-names';
import { EventSubscription, type EventSource } from './events/event-subscription';
import type { Service, ServiceOffer, ServiceStream } from './service';
import { subscriptionRequest } from './events/subscription-request';

/** Maximum number of subscriptions of one device. The Linux client counts its subscriptions in a byte. */
const MAX_SUBSCRIPTIONS = 256;

/**
 * Service 8: devices subscribe to events of their user (`protocol.md` section 7). A subscription ends when the device
 * ends it, or with the connection. The device gets the event as the server's feed publishes it, unless the event has a
 * source that serves it differently. Topics and the current values of properties have a source.
 *
 * Refused are: a malformed request, such as the `parameters: null` that some devices send after a reconnect (400), an
 * unknown event (404), an event or a stream that the device has no right to (403), and too many subscriptions (503).
 */
export class EventStreams implements Service {
  readonly offers: readonly ServiceOffer[] = [
    { code: ServiceCode.SUBSCRIBE_EVENT, name: 'subscribe_event', open: (stream) => this.#open(stream) },
  ];
  readonly #sources = new Map<string, EventSource>();
  readonly #index = new EventIndex();
  readonly #counts = new Map<string, number>();
  #lost = 0;
  #ended = 0;
  readonly #warnings: WarningGate;
  readonly #rights: DeviceRights;
  readonly #stopListening: () => void;

  constructor(server: IotmpServer, rights: DeviceRights, clock: Clock = systemClock) {
    this.#rights = rights;
    this.#warnings = new WarningGate(clock, (text) => server.warn(text));
    this.#stopListening = server.events.listen((event) => this.#index.tell(event));
  }

  /** Messages that devices lost because they read too slowly. */
  get lost(): number {
    return this.#lost;
  }

  /** Subscriptions that ended because their devices read too slowly. */
  get ended(): number {
    return this.#ended;
  }

  /**
   * Serves the subscriptions to an event with a source. The name of the event need not be in the server's list. Returns
   * a function that removes the source. Open subscriptions stay.
   * @throws IotmpError IOTMP_ERR_CONFLICT if the event has a source already
   */
  serve(event: string, source: EventSource): () => void {
    if (this.#sources.has(event)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', `the event ${event} is served already`);
    }
    this.#sources.set(event, source);
    return () => {
      if (this.#sources.get(event) === source) this.#sources.delete(event);
    };
  }

  close(): void {
    this.#stopListening();
    this.#sources.clear();
  }

  #open(stream: ServiceStream): unknown {
    const request = subscriptionRequest(stream);
    const source = this.#sources.get(request.event);
    if (source === undefined && !isEventName(request.event)) {
      throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such event');
    }
    if ((this.#counts.get(deviceKey(stream.caller)) ?? 0) >= MAX_SUBSCRIPTIONS) {
      throw new IotmpError('IOTMP_ERR_BUSY', `a device can have ${MAX_SUBSCRIPTIONS} subscriptions`);
    }
    const subscription = new EventSubscription(this.#owner, stream, request);
    this.#count(subscription, 1);
    if (source !== undefined) return source.open(subscription);
    this.#follow(subscription);
    return undefined;
  }

  readonly #owner = {
    follow: (subscription: EventSubscription): void => this.#follow(subscription),
    forget: (subscription: EventSubscription): void => {
      this.#index.delete(subscription);
      this.#count(subscription, -1);
    },
    lost: (count: number): void => {
      this.#lost += count;
    },
    hold: (request: DeviceRequest, onLost: (reason: IotmpError) => void): (() => void) =>
      this.#rights.hold(request, onLost),
    ended: (): void => {
      this.#ended++;
    },
    warn: (text: string): void => this.#warnings.warn(text),
  };

  /** Serves a subscription with the events of the server's feed. */
  #follow(subscription: EventSubscription): void {
    const { caller, event, filter } = subscription;
    subscription.need(eventRequest(caller, event, filter.wants('device') === caller.device));
    for (const request of contentRequests(caller, event)) subscription.need(request);
    this.#index.add(subscription);
  }

  #count({ caller }: EventSubscription, change: 1 | -1): void {
    const device = deviceKey(caller);
    const count = (this.#counts.get(device) ?? 0) + change;
    if (count === 0) this.#counts.delete(device);
    else this.#counts.set(device, count);
  }
}
