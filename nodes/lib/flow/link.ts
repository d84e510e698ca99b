import type { Node, NodeAPI } from 'node-red';
import type {
  CallOptions,
  DeviceId,
  HostedResource,
  IotmpError,
  Reading,
  Reply,
  ResourceDefinition,
  Value,
} from '../../../src';
import { linkProperties } from '../../settings/shared';

/** State of the server or client behind a flow node. */
export type LinkState =
  /** It works; `text` says how, such as "listening, 3 devices". */
  | { readonly kind: 'up'; readonly text: string }
  | { readonly kind: 'waiting'; readonly text: string }
  | { readonly kind: 'off'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string };

/** A resource of a device, or (without a device) of the server that a client is connected to. */
export interface Target {
  readonly user: string;
  readonly device: string;
  readonly resource: string;
}

/** State of a stream. */
export interface StreamState {
  readonly kind: 'streaming' | 'waiting' | 'offline' | 'stalled' | 'held' | 'error';
  readonly error?: IotmpError | undefined;
}

/** Receives the samples and states of a stream. */
export interface LinkStreamListener {
  onSample(payload: Value | undefined): void;
  onState(state: StreamState): void;
}

/** How a flow opens a stream. */
export interface LinkStreamOptions {
  /** Time between two samples in ms; 0 for the device's own events. */
  readonly intervalMs: number;
  /** Nobody asks at the moment: only an output is opened. */
  readonly unasked?: boolean;
}

/** A stream that a flow opened. */
export interface LinkStream {
  /** Time between its samples in ms; 0 for the device's own events, or where it is not known. */
  readonly intervalMs: number;
  /** @throws IotmpError IOTMP_ERR_OFFLINE, IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE */
  write(payload: unknown): void;
  close(): void;
}

/** The server or client that a flow node works through, as far as the flow node needs it. */
export interface Link {
  /** Whether calls name a device, as through a server, or go to the server, as through a client. */
  readonly namesDevices: boolean;
  readonly state: LinkState;
  /** Tells of each change of the state; returns the function that ends it. */
  watch(listener: (state: LinkState) => void): () => void;
  /** The connection that messages of this device, or of the server, come from; `undefined` when it is gone. */
  reading(source: DeviceId | undefined): Reading | undefined;
  /** @throws IotmpError IOTMP_ERR_CONFIG, IOTMP_ERR_CONFLICT */
  host(pattern: string, definition: ResourceDefinition): HostedResource;
  /** The target as it is meant: where the user is left out, the server's own. */
  resolve(target: Target): Target;
  /** How the device of a target stands. Through a client that is the connection itself. */
  deviceState(target: Target): LinkState;
  /** Tells that the device of a target may be in another state; returns the function that ends it. */
  watchDevice(target: Target, listener: () => void): () => void;
  call(target: Target, options: CallOptions): Promise<Reply>;
  /** The code of the kind of a resource: 3 is an output. `undefined` while it is not known. It never rejects. */
  kindOf(target: Target): Promise<number | undefined>;
  stream(target: Target, options: LinkStreamOptions, listener: LinkStreamListener): LinkStream;
}

/** A config node that flow nodes work through. */
export interface LinkNode {
  readonly link: Link | undefined;
  /** The flow nodes that use the config node, by their ids. Core sends its status and errors to their flows. */
  users: Record<string, Node>;
  /** A flow node begins to use the config node. */
  register(user: Node): void;
  /** A flow node ends, to be made anew or for good. */
  deregister(user: Node): void;
}

/** Makes a config node keep track of the flow nodes that use it. */
export function trackUsers(node: LinkNode): void {
  node.users = {};
  node.register = (user): void => {
    node.users[user.id] = user;
  };
  node.deregister = (user): void => {
    Reflect.deleteProperty(node.users, user.id);
  };
}

/**
 * The config node that a flow node works through; `undefined` when none is chosen, or it is missing, disabled, not
 * usable or of the other kind.
 * @param config configuration of the flow node
 */
export function findLinkNode(RED: NodeAPI, config: object): (LinkNode & { link: Link }) | undefined {
  const via = linkProperties.via.read(config, 'via');
  const throughClient = via === 'client';
  const id = linkProperties[via].read(config, via);
  const found: unknown = id === '' ? undefined : RED.nodes.getNode(id);
  return isLinkNode(found) && found.link.namesDevices !== throughClient ? found : undefined;
}

function isLinkNode(node: unknown): node is LinkNode & { link: Link } {
  if (typeof node !== 'object' || node === null || !('link' in node)) return false;
  const { link } = node;
  return typeof link === 'object' && link !== null && 'namesDevices' in link;
}
