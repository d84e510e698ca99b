import type { Node, NodeAPI, NodeDef } from 'node-red';
import {
  IotmpError,
  type EndpointCall,
  type EndpointHandler,
  type ResourceCall,
  type ResourceDefinition,
} from '../src';
import { copyValue } from './lib/flow/copy-value';
import { endpointTimeS } from './lib/flow/endpoint-time';
import { followLink, setUpFlowNode } from './lib/flow/flow-node';
import type { Link, LinkSettings } from './lib/flow/link';
import { ReplyStore } from './lib/flow/reply-store';
import { ServerLink } from './lib/server/server-link';
import { choiceSetting, jsonSetting, numberSetting, textSetting } from './lib/red/settings';
import { translate } from './lib/red/translate';

interface ResourceInConfig extends NodeDef, LinkSettings {
  readonly resource?: unknown;
  readonly kind?: unknown;
  readonly reply?: unknown;
  readonly timeout?: unknown;
  readonly inSample?: unknown;
  readonly outSample?: unknown;
}

interface ResourceInNode extends Node {
  /** Calls that wait for an `iotmp-response`; it finds them through their token. */
  replies: ReplyStore;
}

const KINDS = ['run', 'input', 'output', 'inout', 'endpoint'] as const;

/** What a node hosts, and the time that a call has, in ms. */
interface Hosting {
  readonly kind: (typeof KINDS)[number];
  readonly timeoutMs: number;
}

/** The node's own store ends a call first, so that the flow hears of it. */
const LATER_MS = 1000;

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType<ResourceInNode, ResourceInConfig, object, object>(
    'iotmp-resource-in',
    function (this: ResourceInNode, config) {
      RED.nodes.createNode(this, config);
      setUpFlowNode(RED, this, config, (context) => {
        const kind = choiceSetting('kind', config.kind, KINDS, 'run');
        const timeoutS = numberSetting('timeout', config.timeout, { min: 0.1, max: 86_400, fallback: 10 });
        const timeoutMs = 1000 * (kind === 'endpoint' ? endpointTimeS(timeoutS) : timeoutS);
        this.replies = new ReplyStore(this.id, timeoutMs);
        const end = host(RED, this, config, context.link, { kind, timeoutMs: timeoutMs + LATER_MS });
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
 * Hosts what a node hosts: a resource, or an endpoint of the server. Returns the function that ends it.
 * @throws IotmpError IOTMP_ERR_CONFIG, IOTMP_ERR_PROTOCOL for a bad name of an endpoint, IOTMP_ERR_CONFLICT
 */
function host(
  RED: NodeAPI,
  node: ResourceInNode,
  config: ResourceInConfig,
  link: Link,
  { kind, timeoutMs }: Hosting,
): () => void {
  const name = textSetting(config.resource);
  if (kind !== 'endpoint') {
    const hosted = link.host(name, { kind, timeoutMs, ...definitionOf(node, config, kind) });
    return () => hosted.remove();
  }
  if (link instanceof ServerLink) {
    return link.services.endpoints.host(name, endpointOf(node, config), { timeoutMs });
  }
  throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.throughServer', { what: 'endpoint' }));
}

function definitionOf(
  node: ResourceInNode,
  config: ResourceInConfig,
  kind: ResourceDefinition['kind'],
): Pick<ResourceDefinition, 'describe' | 'run'> {
  const sample = {
    in: jsonSetting('inSample', config.inSample),
    out: jsonSetting('outSample', config.outSample),
  };
  const givesOutput = kind === 'output' || kind === 'inout';
  const isAnswered = isAnsweredAtOnce(config);
  return {
    describe: () => Object.fromEntries(Object.entries(sample).filter(([, value]) => value !== undefined)),
    run: (call) => {
      if (!isAnswered) return enterFlow(node, messageOf(call), call.signal);
      node.send(messageOf(call));
      return givesOutput ? null : undefined;
    },
  };
}

function endpointOf(node: ResourceInNode, config: ResourceInConfig): EndpointHandler {
  const isAnswered = isAnsweredAtOnce(config);
  return (call) => {
    if (!isAnswered) return enterFlow(node, endpointMessage(call), call.signal);
    node.send(endpointMessage(call));
    return undefined;
  };
}

function isAnsweredAtOnce({ reply }: ResourceInConfig): boolean {
  return choiceSetting('reply', reply, ['auto', 'flow'], 'auto') === 'auto';
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
    payload: payload ?? null,
    topic: path,
    path: { ...captures },
    params: parameters ?? null,
    ...(caller === undefined ? {} : { user: caller.user, device: caller.device }),
  };
}

/** The same fields, but that a program calls without a device. The events of the call have its payload, too. */
function endpointMessage({ name, payload, user, caller }: EndpointCall): Record<string, unknown> {
  return {
    payload: payload === undefined ? null : copyValue(payload),
    topic: name,
    path: {},
    params: null,
    user,
    ...(caller === undefined ? {} : { device: caller.device }),
  };
}
