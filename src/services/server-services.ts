import type { IotmpServer } from '../broker/broker';
import type { StorageError } from '../errors';
import type { Store } from '../store/store';
import { AttachedService } from './attached-service';
import { Buckets, type BucketsOptions } from './buckets/buckets';
import { DeviceCalls, type DeviceCallOptions } from './device-calls';
import { Endpoints, type EndpointsOptions } from './endpoints';
import { EventStreams } from './event-streams';
import { DeviceStreams } from './events/device-streams';
import { Losses } from './losses';
import { Locks, type LocksOptions } from './locks';
import { Properties } from './properties/properties';
import type { Service } from './service';
import { StoreAccess } from './store-access';
import type { DeviceId } from '../types';
import { DeviceRights } from '../rights/device-rights';
import { NO_TRAITS, type DeviceTraits } from '../rights/device-rule';
import type { RetainedMessages } from './topics/retained-messages';
import { Topics, type TopicsOptions } from './topics/topics';

/** Options of the services of a server. */
export interface ServicesOptions {
  readonly deviceCalls?: DeviceCallOptions;
  readonly endpoints?: EndpointsOptions;
  readonly locks?: LocksOptions;
  readonly buckets?: BucketsOptions;
  /**
   * The store of properties, buckets and retained messages, or a promise of it. The caller closes the store after the
   * services are closed and {@link ServerServices.settled}. By default, all is kept in memory and lost with the
   * services.
   */
  readonly store?: Store | Promise<Store>;
  readonly topics?: TopicsOptions;
  /**
   * What a directory knows of a device, for rules that are for a type, a group or a product; `undefined` while that cannot be
   * known. {@link DeviceRights.review} takes over what has changed.
   */
  readonly traitsOf?: (id: DeviceId) => DeviceTraits | undefined;
}

/**
 * Offers all services of a server (`protocol.md` section 7). It can be constructed before the server is started, and
 * stays over stops and starts of the server.
 *
 * ```ts
 * const server = new IotmpServer({ tcpPort: 25204, devices });
 * const services = new ServerServices(server);
 * await server.start();
 * ```
 */
export class ServerServices {
  /** What devices may do to others. */
  readonly rights: DeviceRights;
  readonly deviceCalls: DeviceCalls;
  readonly endpoints: Endpoints;
  readonly events: EventStreams;
  readonly locks: Locks;
  readonly properties: Properties;
  readonly buckets: Buckets;
  readonly topics: Topics;
  /** What the server and its services drop, cut or refuse. */
  readonly losses: Losses;
  readonly #server: IotmpServer;
  readonly #store: StoreAccess;
  readonly #attached = new Map<Service, AttachedService>();

  /** @throws IotmpError IOTMP_ERR_CONFLICT if the server offers one of the services already */
  constructor(server: IotmpServer, options: ServicesOptions = {}) {
    this.#server = server;
    this.rights = new DeviceRights({
      traitsOf: options.traitsOf ?? (() => NO_TRAITS),
      onRefused: (text, { user, device }) => server.warn(text, undefined, `${user}/${device}`),
    });
    this.deviceCalls = new DeviceCalls(server, this.rights, options.deviceCalls);
    this.endpoints = new Endpoints(server, options.endpoints);
    this.events = new EventStreams(server, this.rights);
    this.locks = new Locks(server, this.rights, options.locks);
    this.#store = new StoreAccess(server, options.store);
    this.properties = new Properties(server, this.#store);
    this.topics = new Topics(server, { retained: keptIn(this.#store), ...options.topics });
    this.losses = new Losses(server, this.events, this.topics);
    this.buckets = new Buckets(server, this.#store, this.topics, options.buckets);
    this.events.serve('device_property_update', this.properties.source);
    this.events.serve('device_topic_publish', this.topics.source);
    this.events.serve('device_resource_stream', new DeviceStreams(server));
    try {
      this.add(this.deviceCalls);
      this.add(this.endpoints);
      this.add(this.events);
      this.add(this.locks);
      this.add(this.properties);
      this.add(this.buckets);
      this.buckets.start();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Number of records in the store that were found and cannot be read. */
  get damagedRecords(): number {
    return this.#store.damagedRecords;
  }

  /** What is wrong with the store; undefined while all is well. */
  get storeFault(): StorageError | undefined {
    return this.#store.fault;
  }

  /**
   * Offers another service. The service ends with this object.
   * @throws IotmpError IOTMP_ERR_CONFIG if a number is not 1 to 8, IOTMP_ERR_CONFLICT if one of them is taken
   */
  add(service: Service): void {
    this.#attached.set(service, new AttachedService(this.#server, this.rights, service));
  }

  /** Withdraws the services and rejects waiting requests. Connections stay. Idempotent. */
  close(): void {
    for (const [service, attached] of this.#attached) {
      attached.detach();
      service.close();
    }
    this.#attached.clear();
    this.#store.close();
    // Also if not all services could be offered.
    this.events.close();
    this.topics.close();
    this.losses.close();
  }

  /**
   * Resolves when all data that the services took before {@link close} is in the store, or could not be kept. The store
   * must not be closed before. Never rejects.
   */
  async settled(): Promise<void> {
    await this.topics.settled();
    await this.#store.settled();
  }
}

/** Retained messages in a store that may still be opening. */
function keptIn(access: StoreAccess): RetainedMessages {
  return {
    set: (user, topic, payload) => access.use((store) => store.retained.set(user, topic, payload)),
    remove: (user, topic) => access.use((store) => store.retained.remove(user, topic)),
    clear: (user) => access.use((store) => store.retained.clear(user)),
    list: (user, query) => access.use((store) => store.retained.list(user, query)),
  };
}
