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

/** Who may call what of whom. What it throws is a refusal, too. */
export type CallRule = (caller: DeviceId, target: CallTarget) => boolean;

/** What {@link DeviceCalls} can be told. */
export interface DeviceCallOptions {
  /** Who may call whom; without it, the devices of one user each other. */
  readonly mayCall?: CallRule;
  /** How far calls that lead to calls may go, 1 or more: past it, they are taken for a circle. 8 without it. */
  readonly maxHops?: number;
}

const DEFAULT_MAX_HOPS = 8;
/** The longest that a timer can: the request to the target has a limit of its own. */
const AS_LONG_AS_THE_TARGET = 2 ** 31 - 1;

/**
 * Service 3: devices call resources of other devices (`protocol.md` section 7). The answer of the target comes back as
 * it is, its code and its payload, also when it is an error. A call without input goes through as it came, also to an
 * input: it is the device that asks for it, and to ask the target what it hosts would cost a message before each.
 *
 * Refused are: what is no `[device, resource]` (400), what the rule forbids (403), a target that is not connected
 * (404), one that does not answer in time (504), and calls in a circle (508).
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
    // Calls that are under way belong to the connections of their targets.
  }

  #relay({ caller, parameters, payload }: ServiceCall): Promise<unknown> {
    const target = callTarget(parameters, caller);
    const name = `${target.user}/${target.device}`;
    // Before anything else, so that nobody learns which devices others have.
    if (!this.#mayCall(caller, target)) {
      throw new IotmpError('IOTMP_ERR_FORBIDDEN', `${name} is not for this device to call`);
    }
    const device = this.#server.device(target);
    if (device === undefined) throw new IotmpError('IOTMP_ERR_OFFLINE', `${name} is not connected`);
    const call = this.#calls.begin(deviceKey(caller), deviceKey(target));
    return device.run(target.resource, { payload }).then(
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

/** An error of the target is its answer; everything else is one of this server. */
function answerOfFailure(error: unknown): Answer {
  if (!(error instanceof RemoteError)) throw error;
  // The code of an ERROR may be any number, but it must stay one.
  return new Answer(error.payload, error.statusCode >= 400 ? error.statusCode : 500);
}
