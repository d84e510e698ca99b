import type { NodeAPI } from 'node-red';
import type {
  AuditLog,
  Backups,
  DeviceId,
  Directory,
  Reading,
  HostedResource,
  HubState,
  IotmpServer,
  Reply,
  ResourceDefinition,
  ServerServices,
  CallOptions,
} from '../../../src';
import { flowValueOf } from '../flow/flow-value';
import type { DevicePresence } from './device-presence';
import { absentDevice, deviceState } from './device-state';
import type { HostedServer } from './hosted-server';
import type {
  Link,
  LinkState,
  LinkStream,
  LinkStreamListener,
  LinkStreamOptions,
  StreamState,
  Target,
} from '../flow/link';
import type { StateFeed } from '../flow/state-feed';

/** Flow nodes work with the devices of an embedded server through this. */
export class ServerLink implements Link {
  readonly namesDevices = true;
  /** Properties, buckets, endpoints, topics and the other services of the server. */
  readonly services: ServerServices;
  readonly backups: Backups;
  readonly audit: AuditLog;
  /** The users and devices beside those in the settings. */
  readonly directory: Directory;
  readonly #RED: NodeAPI;
  readonly #server: IotmpServer;
  readonly #feed: StateFeed;
  readonly #presence: DevicePresence;
  readonly #firstUser: string | undefined;

  /** @param firstUser user of the first registered device; a server that was taken over learns of it later */
  constructor(
    RED: NodeAPI,
    { server, services, backups, audit, directory }: HostedServer,
    feed: StateFeed,
    presence: DevicePresence,
    firstUser: string | undefined,
  ) {
    this.#RED = RED;
    this.#presence = presence;
    this.#server = server;
    this.services = services;
    this.backups = backups;
    this.audit = audit;
    this.directory = directory;
    this.#feed = feed;
    this.#firstUser = firstUser;
  }

  /** The server itself, for what only a server has. */
  get server(): IotmpServer {
    return this.#server;
  }

  get state(): LinkState {
    return this.#feed.state;
  }

  watch(listener: (state: LinkState) => void): () => void {
    return this.#feed.watch(listener);
  }

  reading(source: DeviceId | undefined): Reading | undefined {
    return source && this.#server.device(source)?.reading;
  }

  host(pattern: string, definition: ResourceDefinition): HostedResource {
    return this.#server.offer(pattern, definition);
  }

  resolve(target: Target): Target {
    if (target.user !== '') return target;
    return { ...target, user: this.#firstUser ?? this.#server.defaultUser };
  }

  deviceState(target: Target): LinkState {
    return deviceState(this.#RED, this.#server, this.state, target);
  }

  watchDevice(target: Target, listener: () => void): () => void {
    const ends = [this.#presence.watch(target, listener), this.#feed.watch(listener)];
    return () => {
      for (const end of ends) end();
    };
  }

  async kindOf(target: Target): Promise<number | undefined> {
    try {
      const description = await this.#server.device(target)?.describe();
      return description?.find(target.resource)?.fn;
    } catch {
      return undefined; // A device that does not describe itself: the kind is not known.
    }
  }

  async call(target: Target, options: CallOptions): Promise<Reply> {
    if (this.#server.device(target) === undefined) {
      throw absentDevice(this.#RED, this.#server, this.state, target);
    }
    const reply = await this.#server.call(target, target.resource, options);
    // The server remembers what it saw.
    return { ...reply, payload: flowValueOf(reply.payload) };
  }

  stream(target: Target, options: LinkStreamOptions, listener: LinkStreamListener): LinkStream {
    const subscription = this.#server.subscribe(target, target.resource, {
      ...options,
      // All subscribers get the same object, and flows change what they get.
      onSample: (sample) => listener.onSample(flowValueOf(sample)),
      onState: (state) => listener.onState(streamState(state)),
    });
    listener.onState(streamState(subscription.state));
    return {
      intervalMs: options.intervalMs,
      write: (payload) => subscription.write(payload),
      close: () => subscription.close(),
    };
  }
}

/** The link of a server node that is deployed; `undefined` for the id of anything else. */
export function serverLinkOf(RED: NodeAPI, id: unknown): ServerLink | undefined {
  const node: unknown = typeof id === 'string' ? RED.nodes.getNode(id) : undefined;
  if (typeof node !== 'object' || node === null || !('link' in node)) return undefined;
  return node.link instanceof ServerLink ? node.link : undefined;
}

function streamState(state: HubState): StreamState {
  switch (state.kind) {
    case 'starting':
      return { kind: 'waiting' };
    case 'failed':
      return { kind: 'error', error: state.error };
    default:
      return { kind: state.kind };
  }
}
