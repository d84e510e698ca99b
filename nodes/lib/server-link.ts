import type {
  HostedResource,
  HubState,
  IotmpServer,
  Reply,
  ResourceDefinition,
  CallOptions,
} from '../../src';
import type { Link, LinkState, LinkStream, LinkStreamListener, StreamState, Target } from './link';
import type { StateFeed } from './state-feed';

/** Flow nodes work with the devices of an embedded server through this. */
export class ServerLink implements Link {
  readonly namesDevices = true;
  readonly #server: IotmpServer;
  readonly #feed: StateFeed;

  constructor(server: IotmpServer, feed: StateFeed) {
    this.#server = server;
    this.#feed = feed;
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
    return { ...target, user: target.user === '' ? this.#server.defaultUser : target.user };
  }

  call(target: Target, options: CallOptions): Promise<Reply> {
    return this.#server.call(target, target.resource, options);
  }

  stream(target: Target, intervalMs: number, listener: LinkStreamListener): LinkStream {
    const subscription = this.#server.subscribe(target, target.resource, {
      intervalMs,
      onSample: (sample) => listener.onSample(sample),
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
