import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { IotmpError } from '../../src';
import type { Target } from './link';
import { translate } from './translate';
import { evaluateText, typedSetting } from './typed-value';

/** Finds the resource that a node means, for a message where it depends on one. */
export interface TargetSettings {
  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG when a device or a resource is missing */
  evaluate(message?: NodeMessage): Promise<Target>;
}

/**
 * Reads the typed inputs `user`, `device` and `resource` of a node.
 * @param namesDevices whether a device has to be named
 */
export function targetSettings(
  RED: NodeAPI,
  node: Node,
  config: object,
  namesDevices: boolean,
): TargetSettings {
  const userSetting = typedSetting(config, 'user', 'str');
  const deviceSetting = typedSetting(config, 'device', 'str');
  const resourceSetting = typedSetting(config, 'resource', 'str');
  const evaluateNow = async (message?: NodeMessage): Promise<Target> => {
    const user = namesDevices ? await evaluateText(RED, node, userSetting, message) : '';
    const device = namesDevices ? await evaluateText(RED, node, deviceSetting, message) : '';
    const resource = await evaluateText(RED, node, resourceSetting, message);
    if (namesDevices && device === '') {
      throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.noDevice'));
    }
    if (resource === '') throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.noResource'));
    return { user, device, resource };
  };
  // Plain texts mean the same for every message.
  const isFixed = [userSetting, deviceSetting, resourceSetting].every(({ type }) => type === 'str');
  let fixed: Promise<Target> | undefined;
  return {
    evaluate: (message) => (isFixed ? (fixed ??= evaluateNow()) : evaluateNow(message)),
  };
}
