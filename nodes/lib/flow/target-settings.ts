import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { IotmpError } from '../../../src';
import { targetProperties } from '../../settings/shared';
import type { Target } from './link';
import { translate } from '../red/translate';
import { evaluateText } from './typed-value';

/** Evaluates the target of a node, which may depend on a message. */
export interface TargetSettings {
  /** Whether the target is the same for every message. */
  readonly isFixed: boolean;
  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG if a device or a resource is missing */
  evaluate(message?: NodeMessage): Promise<Target>;
}

/** Whether a node needs a field. An `unused` field counts as blank, whatever it says. */
type FieldUse = 'required' | 'optional' | 'unused';

/** The use of each target field of a node. */
export interface TargetFields {
  readonly user: Exclude<FieldUse, 'required'>;
  readonly device: FieldUse;
  readonly resource: FieldUse;
  /** The key of the text for a missing `resource`. */
  readonly missing: string;
}

/**
 * The fields of a node that names a resource.
 * @param namesDevices whether the node must name a device, too
 */
export function resourceFields(namesDevices: boolean): TargetFields {
  return {
    user: namesDevices ? 'optional' : 'unused',
    device: namesDevices ? 'required' : 'unused',
    resource: 'required',
    missing: 'errors.noResource',
  };
}

/** Reads the typed inputs `user`, `device` and `resource` of a node. */
export function targetSettings(
  RED: NodeAPI,
  node: Node,
  config: object,
  fields: TargetFields,
): TargetSettings {
  const settings = {
    user: targetProperties.user.read(config, 'user'),
    device: targetProperties.device.read(config, 'device'),
    resource: targetProperties.resource.read(config, 'resource'),
  };
  type Name = keyof typeof settings;
  const textOf = async (name: Name, missing: string, message?: NodeMessage): Promise<string> => {
    if (fields[name] === 'unused') return '';
    const text = await evaluateText(RED, node, settings[name], message);
    if (text !== '' || fields[name] === 'optional') return text;
    throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, missing));
  };
  const evaluateNow = async (message?: NodeMessage): Promise<Target> => ({
    user: await textOf('user', '', message),
    device: await textOf('device', 'errors.noDevice', message),
    resource: await textOf('resource', fields.missing, message),
  });
  // Plain texts do not depend on the message.
  const isFixed = Object.values(settings).every(({ type }) => type === 'str');
  let fixed: Promise<Target> | undefined;
  return {
    isFixed,
    evaluate: (message) => (isFixed ? (fixed ??= evaluateNow()) : evaluateNow(message)),
  };
}
