import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { ResourceCall, ResourceDefinition } from '../src';
import { followLink, setUpFlowNode } from './lib/flow-node';
import type { LinkSettings } from './lib/link';
import { ReplyStore } from './lib/reply-store';
import { choiceSetting, jsonSetting, numberSetting, textSetting } from './lib/settings';

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

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType<ResourceInNode, ResourceInConfig, object, object>(
    'iotmp-resource-in',
    function (this: ResourceInNode, config) {
      RED.nodes.createNode(this, config);
      setUpFlowNode(RED, this, config, (context) => {
        const timeoutS = numberSetting('timeout', config.timeout, { min: 0.1, max: 86_400, fallback: 10 });
        this.replies = new ReplyStore(this.id, timeoutS * 1000);
        const hosted = context.link.host(textSetting(config.resource), definitionOf(this, config, timeoutS));
        followLink(context);
        context.onClose(() => {
          hosted.remove();
          this.replies.close();
        });
      });
    },
  );
};

function definitionOf(node: ResourceInNode, config: ResourceInConfig, timeoutS: number): ResourceDefinition {
  const kind = choiceSetting('kind', config.kind, ['run', 'input', 'output', 'inout'], 'run');
  const answersAtOnce = choiceSetting('reply', config.reply, ['auto', 'flow'], 'auto') === 'auto';
  const sample = {
    in: jsonSetting('inSample', config.inSample),
    out: jsonSetting('outSample', config.outSample),
  };
  const givesOutput = kind === 'output' || kind === 'inout';
  return {
    kind,
    // The node's own store ends the call first, so that the flow hears of it.
    timeoutMs: timeoutS * 1000 + 1000,
    describe: () => Object.fromEntries(Object.entries(sample).filter(([, value]) => value !== undefined)),
    run: (call) => {
      if (!answersAtOnce) return enterFlow(node, call);
      node.send(messageOf(call));
      return givesOutput ? null : undefined;
    },
  };
}

/** A call that a response node answers. */
function enterFlow(node: ResourceInNode, call: ResourceCall): Promise<unknown> {
  const { token, answer } = node.replies.open(call.signal);
  node.send({ ...messageOf(call), _iotmp: token });
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
