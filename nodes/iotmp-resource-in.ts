import type { Node, NodeAPI } from 'node-red';
import {
  IotmpError,
  type EndpointCall,
  type EndpointHandler,
  type ResourceCall,
  type ResourceDefinition,
} from '../src';
import { flowValueOf } from './lib/flow/flow-value';
import { endpointTimeS } from './lib/flow/endpoint-time';
import { flowLoad } from './lib/flow/flow-load';
import { followLink, setUpFlowNode } from './lib/flow/flow-node';
import type { Link } from './lib/flow/link';
import { ReplyStore } from './lib/flow/reply-store';
import { ServerLink } from './lib/server/server-link';
import { translate } from './lib/red/translate';
import { resourceInTable } from './settings/iotmp-resource-in';
import { settingReader, type ConfigOf, type ReaderOf } from './settings/setting';

type ResourceInConfig = ConfigOf<typeof resourceInTable>;
type Read = ReaderOf<typeof resourceInTable>;

interface ResourceInNode extends Node {
  /** Calls that wait for an `iotmp-response`; it finds them through their token. */
  replies: ReplyStore;
}

/** A resource or an endpoint, and the time that a call of it may take, in ms. */
interface Hosting {
  readonly kind: ResourceDefinition['kind'] | 'endpoint';
  readonly timeoutMs: number;
}

/** The reply store of the node ends a call first, so that the flow is told. */
const LATER_MS = 1000;

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType<ResourceInNode, ResourceInConfig, object, object>(
    'iotmp-resource-in',
    function (this: ResourceInNode, config) {
      RED.nodes.createNode(this, config);
      setUpFlowNode(RED, this, config, (context) => {
        const read = settingReader(resourceInTable, config);
        const kind = read('kind');
        const timeoutS = read('timeout');
        const timeoutMs = 1000 * (kind === 'endpoint' ? endpointTimeS(timeoutS) : timeoutS);
        this.replies = new ReplyStore(this.id, timeoutMs);
        const end = host(RED, this, read, context.link, { kind, timeoutMs: timeoutMs + LATER_MS });
        followLink(context);
        context.onClose(() => {
          end();
          this.replies.close();
        });
      });
    },
  );
};

/**
 * Hosts the resource of a node, or its endpoint of the server. Returns the function that ends it.
 * @throws IotmpError IOTMP_ERR_CONFIG, IOTMP_ERR_PROTOCOL for a bad name of an endpoint, IOTMP_ERR_CONFLICT
 */
function host(
  RED: NodeAPI,
  node: ResourceInNode,
  read: Read,
  link: Link,
  { kind, timeoutMs }: Hosting,
): () => void {
  const name = read('resource');
  if (kind !== 'endpoint') {
    const hosted = link.host(name, { kind, timeoutMs, ...definitionOf(node, read, kind, link) });
    return () => hosted.remove();
  }
  if (link instanceof ServerLink) {
    return link.services.endpoints.host(name, endpointOf(node, read, link), { timeoutMs });
  }
  throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.throughServer', { what: 'endpoint' }));
}

function definitionOf(
  node: ResourceInNode,
  read: Read,
  kind: ResourceDefinition['kind'],
  link: Link,
): Pick<ResourceDefinition, 'describe' | 'run'> {
  const sample = { in: read('inSample'), out: read('outSample') };
  const givesOutput = kind === 'output' || kind === 'inout';
  const isAnswered = read('reply') === 'auto';
  return {
    describe: () => Object.fromEntries(Object.entries(sample).filter(([, value]) => value !== undefined)),
    run: (call) => {
      flowLoad.note(link, call.caller);
      if (!isAnswered) return enterFlow(node, messageOf(call), call.signal);
      node.send(messageOf(call));
      return givesOutput ? null : undefined;
    },
  };
}

function endpointOf(node: ResourceInNode, read: Read, link: Link): EndpointHandler {
  const isAnswered = read('reply') === 'auto';
  return (call) => {
    flowLoad.note(link, call.caller);
    if (!isAnswered) return enterFlow(node, endpointMessage(call), call.signal);
    node.send(endpointMessage(call));
    return undefined;
  };
}

/** A call that a response node answers. */
function enterFlow(
  node: ResourceInNode,
  message: Record<string, unknown>,
  signal: AbortSignal,
): Promise<unknown> {
  const { token, answer } = node.replies.open(signal);
  node.send({ ...message, _iotmp: token });
  return answer;
}

function messageOf({ path, captures, parameters, payload, caller }: ResourceCall): Record<string, unknown> {
  return {
    payload: flowValueOf(payload) ?? null,
    topic: path,
    path: { ...captures },
    params: flowValueOf(parameters) ?? null,
    ...(caller === undefined ? {} : { user: caller.user, device: caller.device }),
  };
}

/** The same fields, but that a program calls without a device. The events of the call have its payload, too. */
function endpointMessage({ name, payload, user, caller }: EndpointCall): Record<string, unknown> {
  return {
    payload: flowValueOf(payload) ?? null,
    topic: name,
    path: {},
    params: null,
    user,
    ...(caller === undefined ? {} : { device: caller.device }),
  };
}
