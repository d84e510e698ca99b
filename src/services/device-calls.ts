import type { IotmpServer } from '../broker/broker';
import { ServiceCode } from '../codec/constants';
import { IotmpError, RemoteError } from '../errors';
import { Answer } from '../session/hosting/resource';
import type { DeviceId, Value } from '../types';
import { deviceKey } from '../util/device-key';
import { callTarget, type CallTarget } from './call-target';
import { RelayedCalls } from './relayed-calls';
import type { Service, ServiceCall, ServiceOffer } from './service';
import type { Reply } from '../session/requests/reply';

/** Whether a device may call a resource of another device. A rule that throws refuses the call, too. */
export type CallRule = (caller: DeviceId, target: CallTarget) => boolean;

/** Options of {@link DeviceCalls}. */
export interface DeviceCallOptions {
  /** The calls that are allowed. By default, the devices of a user may call each other. */
  readonly mayCall?: CallRule;
  /** Maximum length of a chain of calls that lead to calls, 1 or more. A longer chain counts as a circle. 8 by default. */
  readonly maxHops?: number;
}

const DEFAULT_MAX_HOPS = 8;
/** The longest time of a timer, in ms: the request to the target has its own timeout. */
const AS_LONG_AS_THE_TARGET = 2 ** 31 - 1;

/**
 * Service 3: devices call resources of other devices (`protocol.md` section 7). The caller gets the code and the
 * payload of the target's answer unchanged, even for an error. A call without input is passed on unchanged, even to an
 * input: the device asked for it, and a DESCRIBE before each call would cost another message. What is called this way is not
 * remembered as a state: the caller names the resource, and the target answers what it likes.
 *
 * Refused are: a request that is no `[device, resource]` (400), a call that the rule forbids (403), a target that is
 * not connected (404) or does not answer in time (504), and calls in a circle (508).
 */
export class DeviceCalls implements Service {
  readonly offers: readonly ServiceOffer[] = [
    {
      code: ServiceCode.CALL_DEVICE,
      name: 'call_device',
      timeoutMs: AS_LONG_AS_THE_TARGET,
      run: (call) => this.#relay(call),
    },
  ];
  readonly #server: IotmpServer;
  readonly #mayCall: CallRule;
  readonly #calls: RelayedCalls;

  /** @throws IotmpError IOTMP_ERR_CONFIG */
  constructor(
    server: IotmpServer,
    { mayCall = isSameUser, maxHops = DEFAULT_MAX_HOPS }: DeviceCallOptions = {},
  ) {
    this.#server = server;
    this.#mayCall = mayCall;
    this.#calls = new RelayedCalls(maxHops);
  }

  close(): void {
    // Pending calls belong to the connections of their targets.
  }

  #relay({ caller, parameters, payload }: ServiceCall): Promise<unknown> {
    const target = callTarget(parameters, caller);
    const name = `${target.user}/${target.device}`;
    // The rule comes first, so that no device learns which devices other users have.
    if (!this.#mayCall(caller, target)) {
      throw new IotmpError('IOTMP_ERR_FORBIDDEN', `${name} is not for this device to call`);
    }
    const device = this.#server.device(target);
    if (device === undefined) throw new IotmpError('IOTMP_ERR_OFFLINE', `${name} is not connected`);
    const call = this.#calls.begin(deviceKey(caller), deviceKey(target));
    return device.run(target.resource, { payload, isState: false }).then(
      (reply) => {
        this.#calls.end(call);
        return answerOf(reply);
      },
      (error: unknown) => {
        this.#calls.end(call);
        return answerOfFailure(error);
      },
    );
  }
}

function isSameUser(caller: DeviceId, target: DeviceId): boolean {
  return caller.user === target.user;
}

function answerOf({ payload, statusCode }: Reply): Answer | Value | undefined {
  return statusCode === 200 ? payload : new Answer(payload, statusCode);
}

/** The target's error is its answer. Every other error is the server's own. */
function answerOfFailure(error: unknown): Answer {
  if (!(error instanceof RemoteError)) throw error;
  // The code of an ERROR may be any number, but it must stay one.
  return new Answer(error.payload, error.statusCode >= 400 ? error.statusCode : 500);
}
