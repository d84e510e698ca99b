import type { Node, NodeAPI } from 'node-red';
import { IotmpError, snapshot } from '../src';
import { followLink, setUpFlowNode } from './lib/flow/flow-node';
import { onInput } from './lib/flow/run-input';
import { evaluate } from './lib/flow/typed-value';
import { resourceOutTable } from './settings/iotmp-resource-out';
import { settingReader, type ConfigOf } from './settings/setting';

type ResourceOutConfig = ConfigOf<typeof resourceOutTable>;

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-resource-out', function (this: Node, config: ResourceOutConfig) {
    RED.nodes.createNode(this, config);
    setUpFlowNode(RED, this, config, (context) => {
      const read = settingReader(resourceOutTable, config);
      const resource = read('resource');
      if (/(^|\/)[:*]/.test(resource)) {
        throw new IotmpError('IOTMP_ERR_CONFIG', 'an output has one value: its resource is no pattern');
      }
      let value = snapshot(read('initial'));
      const hosted = context.link.host(resource, { kind: 'output', run: () => value });
      const setting = read('value');
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
