import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IotmpError, snapshot } from '../src';
import { followLink, setUpFlowNode } from './lib/flow/flow-node';
import type { LinkSettings } from './lib/flow/link';
import { onInput } from './lib/flow/run-input';
import { jsonSetting, textSetting } from './lib/red/settings';
import { evaluate, typedSetting } from './lib/flow/typed-value';

interface ResourceOutConfig extends NodeDef, LinkSettings {
  readonly resource?: unknown;
  readonly initial?: unknown;
}

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-resource-out', function (this: Node, config: ResourceOutConfig) {
    RED.nodes.createNode(this, config);
    setUpFlowNode(RED, this, config, (context) => {
      const resource = textSetting(config.resource);
      if (/(^|\/)[:*]/.test(resource)) {
        throw new IotmpError('IOTMP_ERR_CONFIG', 'an output has one value: its resource is no pattern');
      }
      let value = snapshot(jsonSetting('initial', config.initial));
      const hosted = context.link.host(resource, { kind: 'output', run: () => value });
      const setting = typedSetting({ value: 'payload', ...config }, 'value', 'msg');
      followLink(context);
      context.onClose(() => hosted.remove());
      onInput(this, async (message) => {
        // A value that cannot be sent never becomes the output, whether or not anyone listens.
        value = snapshot(await evaluate(RED, this, setting, message));
        hosted.publish(value);
      });
    });
  });
};
