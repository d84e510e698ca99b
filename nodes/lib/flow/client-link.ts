import { detached, DeviceDescription, warnProcess } from '../../../src';
import type {
  CallOptions,
  ClientStreamState,
  HostedResource,
  IotmpClient,
  IotmpError,
  Reading,
  Reply,
  ResourceDefinition,
} from '../../../src';
import { flowValueOf } from './flow-value';
import type {
  Link,
  LinkState,
  LinkStream,
  LinkStreamListener,
  LinkStreamOptions,
  StreamState,
  Target,
} from './link';
import type { StateFeed } from './state-feed';

/** Flow nodes work with the server of a client through this: they are the device. */
export class ClientLink implements Link {
  readonly namesDevices = false;
  readonly #client: IotmpClient;
  readonly #feed: StateFeed;
  /** What the server hosts, asked once for all nodes; of this connection only. */
  #description: Promise<DeviceDescription> | undefined;

  constructor(client: IotmpClient, feed: StateFeed) {
    this.#client = client;
    this.#feed = feed;
    // Another connection may be one to another server. The feed is of the same client, and ends with it.
    feed.watch(() => (this.#description = undefined));
  }

  /** The client itself, for what only a client has. */
  get client(): IotmpClient {
    return this.#client;
  }

  get state(): LinkState {
    return this.#feed.state;
  }

  watch(listener: (state: LinkState) => void): () => void {
    return this.#feed.watch(listener);
  }

  reading(): Reading | undefined {
    return this.#client.reading;
  }

  host(pattern: string, definition: ResourceDefinition): HostedResource {
    return this.#client.host(pattern, definition);
  }

  resolve(target: Target): Target {
    return target;
  }

  deviceState(): LinkState {
    return this.state;
  }

  watchDevice(_target: Target, listener: () => void): () => void {
    return this.watch(listener);
  }

  async kindOf(target: Target): Promise<number | undefined> {
    this.#description ??= this.#client.describe().then(({ payload }) => new DeviceDescription(payload));
    const asked = this.#description;
    try {
      return (await asked).find(target.resource)?.fn;
    } catch {
      // A server that does not describe itself: the kind is not known. Who asks later asks again.
      if (this.#description === asked) this.#description = undefined;
      return undefined;
    }
  }

  async call(target: Target, options: CallOptions): Promise<Reply> {
    const reply = await this.#client.call(target.resource, options);
    return { ...reply, payload: flowValueOf(reply.payload) };
  }

  stream(target: Target, { intervalMs }: LinkStreamOptions, listener: LinkStreamListener): LinkStream {
    const stream = this.#client.stream(
      target.resource,
      { intervalMs },
      {
        onSample: (payload) => listener.onSample(flowValueOf(payload)),
        onState: (state, error) => listener.onState(streamState(state, error)),
      },
    );
    listener.onState(streamState(stream.state, undefined));
    return {
      intervalMs,
      write: (payload) => void stream.write(payload),
      close: () => detached('flow stream closed', warnProcess, stream.close()),
    };
  }
}

function streamState(state: ClientStreamState, error: IotmpError | undefined): StreamState {
  switch (state) {
    case 'waiting':
      return { kind: 'offline' };
    case 'starting':
      return { kind: 'waiting' };
    case 'failed':
      return { kind: 'error', error };
    default:
      return { kind: state };
  }
}
