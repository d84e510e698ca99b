import { IotmpError } from '../../errors';
import type { DeviceId } from '../../types';
import type { Clock } from '../../util/clock';
import { DeviceMap } from '../device-map';
import type { StreamSource } from '../stream-source';
import type { HubSubscriber, HubSubscription } from './hub-subscription';
import { SharedResource } from './shared-resource';
import { checkedInterval } from './stream-intervals';

export type { HubState } from './hub-state';
export type { HubSubscriber, HubSubscription } from './hub-subscription';

/** What a {@link StreamHub} is made with. */
export interface StreamHubOptions {
  readonly clock: Clock;
  /** Something that deserves a line in a log, but no more. */
  onWarning?(text: string): void;
}

/** The resources of a device that somebody subscribes to, by their names. */
type HubDevice = Map<string, SharedResource>;

/**
 * Shares device streams among subscribers: however many want a resource, its device serves at most one
 * periodic stream and one of events (`protocol.md` section 6). Subscriptions live on while the device is away;
 * when it is back, only outputs are opened unasked (section 5).
 */
export class StreamHub {
  readonly #options: StreamHubOptions;
  readonly #sources = new DeviceMap<StreamSource>();
  readonly #devices = new DeviceMap<HubDevice>();
  #closed = false;

  constructor(options: StreamHubOptions) {
    this.#options = options;
  }

  /** Device streams that are subscribed to, open, or being stopped. */
  get size(): number {
    let size = 0;
    for (const resources of this.#devices.values()) {
      for (const resource of resources.values()) size += resource.size;
    }
    return size;
  }

  /**
   * Subscribes to a resource of a device, which need not be connected. That counts as a person's wish, unless the
   * subscriber is `unasked`: it opens the stream once, of whatever kind the resource is. Nothing is called before `subscribe` has returned.
   * @throws IotmpError IOTMP_ERR_CONFIG when the interval is not usable, IOTMP_ERR_CLOSED after {@link close}
   */
  subscribe(target: DeviceId, resource: string, subscriber: HubSubscriber): HubSubscription {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the stream hub is closed');
    const intervalMs = checkedInterval(subscriber.intervalMs);
    const shared = this.#devices.get(target)?.get(resource) ?? this.#newResource(target, resource);
    return shared.subscribe(subscriber, intervalMs);
  }

  /** A device has connected. On a take-over, its new connection replaces the old one. */
  deviceConnected(target: DeviceId, source: StreamSource): void {
    if (this.#sources.get(target) === source) return;
    this.#sources.set(target, source);
    for (const resource of this.#resources(target)) resource.connect(source);
  }

  /** A connection of a device has ended. One that is not the device's current one is ignored. */
  deviceDisconnected(target: DeviceId, source: StreamSource): void {
    if (this.#sources.get(target) !== source) return;
    this.#sources.delete(target);
    for (const resource of this.#resources(target)) resource.disconnect();
  }

  /** Stops all streams and ends all subscriptions, which are told `offline` before. Idempotent. */
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
      warn: (text) => this.#options.onWarning?.(`${target.user}/${target.device}/${name}: ${text}`),
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
