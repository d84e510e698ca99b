import type { NodeAPI } from 'node-red';
import { callTable } from '../../settings/iotmp-call';
import { settingReader, type ConfigOf } from '../../settings/setting';
import type { Link, Target } from '../flow/link';
import { serviceCaller } from './service-call';
import { serviceFields, takesParameters, takesPayload } from './service-choice';
import { resourceFields, type TargetFields } from '../flow/target-settings';

/** The configuration of an `iotmp-call` node. */
export type CallConfig = ConfigOf<typeof callTable>;

/** The options of one call. */
export interface CallInput {
  readonly payload: unknown;
  readonly parameters: unknown;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The properties that a call adds to its message. */
export interface CallOutput {
  readonly payload: unknown;
  readonly statusCode: number;
  readonly [field: string]: unknown;
}

/** The work of a call node for each message: it calls a resource, or asks a service. */
export interface CallTask {
  readonly fields: TargetFields;
  /** Whether a device, or the server of a client, is called: the services are asked of the server itself. */
  readonly callsDevice: boolean;
  readonly takesPayload: boolean;
  readonly takesParameters: boolean;
  run(target: Target, input: CallInput): Promise<CallOutput>;
}

/** @throws IotmpError IOTMP_ERR_CONFIG for an unknown service, or a service that this link does not have */
export function callTask(RED: NodeAPI, link: Link, config: CallConfig): CallTask {
  const read = settingReader(callTable, config);
  const action = read('action');
  const nameOf = (target: Target): Partial<Target> =>
    link.namesDevices ? withoutBlanks(target) : { resource: target.resource };
  if (action === undefined) {
    return {
      fields: resourceFields(link.namesDevices),
      callsDevice: true,
      takesPayload: true,
      takesParameters: true,
      run: async (target, input) => {
        const { payload, statusCode } = await link.call(target, input);
        return { payload, statusCode, ...nameOf(target) };
      },
    };
  }
  const ask = serviceCaller(RED, link, action);
  const retain = read('retain');
  return {
    fields: serviceFields(action, link.namesDevices),
    callsDevice: false,
    takesPayload: takesPayload(action),
    takesParameters: takesParameters(action),
    run: async ({ resource: name, ...target }, input) => {
      const { payload, statusCode, cursor } = await ask({ ...target, ...input, name, retain });
      const named = nameOf({ ...target, resource: name });
      return { payload, statusCode, ...named, ...(cursor !== undefined && { cursor }) };
    },
  };
}

/** Leaves out the properties that the call did not set, so that the message keeps its own. */
function withoutBlanks({ user, device, resource }: Target): Partial<Target> {
  return { user, ...(device !== '' && { device }), ...(resource !== '' && { resource }) };
}
