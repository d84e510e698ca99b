import type { IotmpServer } from '../broker/broker';
import type { Store } from '../store/store';
import { AttachedService } from './attached-service';
import { Buckets, type BucketsOptions } from './buckets/buckets';
import { DeviceCalls, type DeviceCallOptions } from './device-calls';
import { Endpoints, type EndpointsOptions } from './endpoints';
import { EventStreams } from './event-streams';
import { DeviceStreams } from './events/device-streams';
import { Locks, type LocksOptions } from './locks';
import { Properties } from './properties/properties';
import type { Service } from './service';
import { StoreAccess } from './store-access';
import type { RetainedMessages } from './topics/retained-messages';
import { Topics, type TopicsOptions } from './topics/topics';

/** What the services of a server can be told. Everything has a default. */
export interface ServicesOptions {
  readonly deviceCalls?: DeviceCallOptions;
  readonly endpoints?: EndpointsOptions;
  readonly locks?: LocksOptions;
  readonly buckets?: BucketsOptions;
  /**
   * Where properties, buckets and retained messages are kept: a store, or one that is being opened. It stays its
   * owner's, who closes it when the services are closed and {@link ServerServices.settled}. Without it they are in
   * memory, and gone with the services.
   */
  readonly store?: Store | Promise<Store>;
  readonly topics?: TopicsOptions;
}

/**
 * All that devices can ask of a server (`protocol.md` section 7), offered with one call. It may be made before the
 * server is started, and lives over its stops and starts.
 *
 * ```ts
 * const server = new IotmpServer({ tcpPort: 25204, devices });
 * const services = new ServerServices(server);
 * await server.start();
 * ```
 */
export class ServerServices {
  readonly deviceCalls: DeviceCalls;
  readonly endpoints: Endpoints;
  readonly events: EventStreams;
  readonly locks: Locks;
  readonly properties: Properties;
  readonly buckets: Buckets;
  readonly topics: Topics;
  readonly #server: IotmpServer;
  readonly #store: StoreAccess;
  readonly #attached = new Map<Service, AttachedService>();

  /** @throws IotmpError IOTMP_ERR_CONFLICT when the server offers one of the services already */
  constructor(server: IotmpServer, options: ServicesOptions = {}) {
    this.#server = server;
    this.deviceCalls = new DeviceCalls(server, options.deviceCalls);
    this.endpoints = new Endpoints(server, options.endpoints);
    this.events = new EventStreams(server);
    this.locks = new Locks(options.locks);
    this.#store = new StoreAccess(server, options.store);
    this.properties = new Properties(server, this.#store);
    this.topics = new Topics(server, { retained: keptIn(this.#store), ...options.topics });
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

  /**
   * Offers one more service. It belongs to this object from then on, and ends with it.
   * @throws IotmpError IOTMP_ERR_CONFLICT when one of its numbers is taken
   */
  add(service: Service): void {
    this.#attached.set(service, new AttachedService(this.#server, service));
  }

  /** Offers the services no more, and settles what waits. Connections stay. Idempotent. */
  close(): void {
    for (const [service, attached] of this.#attached) {
      attached.detach();
      service.close();
    }
    this.#attached.clear();
    this.#store.close();
    // Also where not all could be offered.
    this.events.close();
    this.topics.close();
  }

  /**
   * Resolves when all that the services took until they were closed has reached the store, or could not be kept: the
   * store is not to be closed before. Never rejects.
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
