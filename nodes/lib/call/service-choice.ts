import { SERVICE_ACTIONS, type ServiceAction, type ServiceField } from '../../settings/iotmp-call';
import type { TargetFields } from '../flow/target-settings';

/** Whether an action of a service carries a payload. */
export function takesPayload(action: ServiceAction): boolean {
  return uses(action, 'payload');
}

/** Whether an action of a service has parameters: those that choose among rows or properties. */
export function takesParameters(action: ServiceAction): boolean {
  return uses(action, 'params');
}

/** The fields that an action of a service needs. Without a device, a property is the user's own, and a row of no device. */
export function serviceFields(action: ServiceAction, namesDevices: boolean): TargetFields {
  return {
    user: namesDevices ? 'optional' : 'unused',
    device: namesDevices && uses(action, 'device') ? 'optional' : 'unused',
    resource: uses(action, 'resource') ? 'required' : 'unused',
    missing: 'errors.noName',
  };
}

function uses(action: ServiceAction, field: ServiceField): boolean {
  const fields: readonly ServiceField[] = SERVICE_ACTIONS[action].uses;
  return fields.includes(field);
}
