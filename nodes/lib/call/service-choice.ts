import { choiceSetting } from '../red/settings';
import type { TargetFields } from '../flow/target-settings';

/** The services that a call node offers, each with what can be asked of it. The first one is meant where none is given. */
const ACTIONS = {
  property: ['get', 'set', 'list', 'delete'],
  bucket: ['write', 'read', 'aggregate'],
  endpoint: ['call'],
  topic: ['publish'],
} as const;

const SERVICES = ['', 'property', 'bucket', 'endpoint', 'topic'] as const;

type Actions = typeof ACTIONS;

/** A service and what is asked of it, such as `property.get`. */
export type ServiceAction = {
  [Service in keyof Actions]: `${Service}.${Actions[Service][number]}`;
}[keyof Actions];

/** What a node asks for, as its properties say; `undefined` for a plain resource. */
export function serviceAction(config: {
  readonly service?: unknown;
  readonly action?: unknown;
}): ServiceAction | undefined {
  const service = choiceSetting('service', config.service, SERVICES, '');
  switch (service) {
    case '':
      return undefined;
    case 'property':
      return `property.${choiceSetting('action', config.action, ACTIONS.property, 'get')}`;
    case 'bucket':
      return `bucket.${choiceSetting('action', config.action, ACTIONS.bucket, 'write')}`;
    case 'endpoint':
      return `endpoint.${choiceSetting('action', config.action, ACTIONS.endpoint, 'call')}`;
    case 'topic':
      return `topic.${choiceSetting('action', config.action, ACTIONS.topic, 'publish')}`;
  }
}

/** Whether what is asked carries a payload. */
export function takesPayload(action: ServiceAction): boolean {
  return SENDING.includes(action);
}

/** Whether what is asked has parameters: those that choose among rows or properties. */
export function takesParameters(action: ServiceAction): boolean {
  return CHOOSING.includes(action);
}

const SENDING: readonly ServiceAction[] = ['property.set', 'bucket.write', 'endpoint.call', 'topic.publish'];
const CHOOSING: readonly ServiceAction[] = ['property.list', 'bucket.read', 'bucket.aggregate'];

/** Which fields say whose and which. Without a device, properties are the user's own, and rows of buckets are of no device. */
export function serviceFields(action: ServiceAction, namesDevices: boolean): TargetFields {
  const ofDevices = action.startsWith('property.') || action.startsWith('bucket.');
  return {
    user: namesDevices ? 'optional' : 'unused',
    device: namesDevices && ofDevices ? 'optional' : 'unused',
    resource: action === 'property.list' ? 'unused' : 'required',
    missing: 'errors.noName',
  };
}
