import { IotmpError } from '../../errors';
import { isSessionName, sessionInUse } from '../../session/streams/stream-kind';
import type { DeviceId } from '../../types';
import type { Clock } from '../../util/clock';
import { DeviceMap } from '../device-map';
import type { StreamSource } from '../stream-source';
import type { HubSubscriber, HubSubscription } from './hub-subscription';
import { SharedResource } from './shared-resource';
import { checkedInterval } from './stream-intervals';

export type { HubState } from './hub-state';
export type { HubSubscriber, HubSubscription } from './hub-subscription';

/** Options of a {@link StreamHub}. */
export interface StreamHubOptions {
  readonly clock: Clock;
  /** Called with a warning for the log. */
  onWarning?(text: string, about: string): void;
}

/** The resources of a device that have subscribers, by name. */
type HubDevice = Map<string, SharedResource>;

/**
 * Shares device streams among subscribers. For all subscribers of a resource together, its device serves at most
 * one periodic stream and one event stream (`protocol.md` section 6). Subscriptions stay while the device is away.
 * When the device is back, only the streams of outputs are opened unasked (section 5).
 */
export class StreamHub {
  readonly #options: StreamHubOptions;
  readonly #sources = new DeviceMap<StreamSource>();
  readonly #devices = new DeviceMap<HubDevice>();
  #thinned = 0;
  #closed = false;

  constructor(options: StreamHubOptions) {
    this.#options = options;
  }

  /** Samples of devices that gave way to newer ones, as they came faster than was asked for. */
  get thinned(): number {
    return this.#thinned;
  }

  /** Number of device streams that are subscribed to, open, or being stopped. */
  get size(): number {
    let size = 0;
    for (const resources of this.#devices.values()) {
      for (const resource of resources.values()) size += resource.size;
    }
    return size;
  }

  /**
   * Subscribes to a resource of a device, which need not be connected. This counts as the wish of a person and opens
   * the stream once, whatever the kind of the resource, unless the subscriber is `unasked`. No callback comes before
   * `subscribe` has returned.
   * @throws IotmpError IOTMP_ERR_CONFIG when the interval is not usable, IOTMP_ERR_CONFLICT when somebody else subscribes to
   *   this session, as a session such as `$terminal/1` is never shared; IOTMP_ERR_CLOSED after {@link close}
   */
  subscribe(target: DeviceId, resource: string, subscriber: HubSubscriber): HubSubscription {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the stream hub is closed');
    const intervalMs = checkedInterval(subscriber.intervalMs);
    const present = this.#devices.get(target)?.get(resource);
    if (present?.isSubscribed === true && isSessionName(resource)) throw sessionInUse(resource);
    const shared = present ?? this.#newResource(target, resource);
    return shared.subscribe(subscriber, intervalMs);
  }

  /** A device has connected. On a take-over, its new connection replaces the old one. */
  deviceConnected(target: DeviceId, source: StreamSource): void {
    if (this.#sources.get(target) === source) return;
    this.#sources.set(target, source);
    for (const resource of this.#resources(target)) resource.connect(source);
  }

  /** A connection of a device has ended. An older connection of the device is ignored. */
  deviceDisconnected(target: DeviceId, source: StreamSource): void {
    if (this.#sources.get(target) !== source) return;
    this.#sources.delete(target);
    for (const resource of this.#resources(target)) resource.disconnect();
  }

  /** Stops all streams, tells all subscribers `offline`, and ends the subscriptions. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const resources of [...this.#devices.values()]) {
      for (const resource of [...resources.values()]) resource.close();
    }
    this.#devices.clear();
    this.#sources.clear();
  }

  #resources(target: DeviceId): SharedResource[] {
    return [...(this.#devices.get(target)?.values() ?? [])];
  }

  #newResource(target: DeviceId, name: string): SharedResource {
    const resources: HubDevice = this.#devices.get(target) ?? new Map<string, SharedResource>();
    const resource = new SharedResource(name, {
      clock: this.#options.clock,
      onThinned: () => {
        this.#thinned++;
      },
      warn: (text) => {
        const device = `${target.user}/${target.device}`;
        this.#options.onWarning?.(`${device}/${name}: ${text}`, device);
      },
      onUnused: (unused) => {
        if (resources.get(name) === unused) resources.delete(name);
        if (resources.size === 0 && this.#devices.get(target) === resources) this.#devices.delete(target);
      },
    });
    resources.set(name, resource);
    this.#devices.set(target, resources);
    const source = this.#sources.get(target);
    if (source !== undefined) resource.connect(source);
    return resource;
  }
}
