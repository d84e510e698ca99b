import type {
  HostedResource,
  HubState,
  IotmpServer,
  Reply,
  ResourceDefinition,
  ServerServices,
  CallOptions,
} from '../../../src';
import { flowValueOf } from '../flow/flow-value';
import type { HostedServer } from './hosted-server';
import type { Link, LinkState, LinkStream, LinkStreamListener, StreamState, Target } from '../flow/link';
import type { StateFeed } from '../flow/state-feed';

/** Flow nodes work with the devices of an embedded server through this. */
export class ServerLink implements Link {
  readonly namesDevices = true;
  /** Properties, buckets, endpoints, topics and the other services of the server. */
  readonly services: ServerServices;
  readonly #server: IotmpServer;
  readonly #feed: StateFeed;
  readonly #firstUser: string | undefined;

  /** @param firstUser user of the first registered device; a server that was taken over learns of it later */
  constructor({ server, services }: HostedServer, feed: StateFeed, firstUser: string | undefined) {
    this.#server = server;
    this.services = services;
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

  host(pattern: string, definition: ResourceDefinition): HostedResource {
    return this.#server.offer(pattern, definition);
  }

  resolve(target: Target): Target {
    if (target.user !== '') return target;
    return { ...target, user: this.#firstUser ?? this.#server.defaultUser };
  }

  async call(target: Target, options: CallOptions): Promise<Reply> {
    const reply = await this.#server.call(target, target.resource, options);
    // The server remembers what it saw.
    return { ...reply, payload: flowValueOf(reply.payload) };
  }

  stream(target: Target, intervalMs: number, listener: LinkStreamListener): LinkStream {
    const subscription = this.#server.subscribe(target, target.resource, {
      intervalMs,
      // All subscribers get the same object, and flows change what they get.
      onSample: (sample) => listener.onSample(flowValueOf(sample)),
      onState: (state) => listener.onState(streamState(state)),
    });
    listener.onState(streamState(subscription.state));
    return subscription;
  }
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
