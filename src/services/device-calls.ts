import type { IotmpServer } from '../broker/broker';
import { ServiceCode } from '../codec/constants';
import { IotmpError, RemoteError } from '../errors';
import { Answer } from '../session/hosting/resource';
import { resourceRequest } from '../rights/device-request';
import type { DeviceRights } from '../rights/device-rights';
import type { Value } from '../types';
import { deviceKey } from '../util/device-key';
import { callTarget } from './call-target';
import { RelayedCalls } from './relayed-calls';
import type { Service, ServiceCall, ServiceOffer } from './service';
import type { Reply } from '../session/requests/reply';

/** Options of {@link DeviceCalls}. */
export interface DeviceCallOptions {
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
 * Refused are: a request that is no `[device, resource]` (400), a call that the device has no right to (403), a target that is
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
  readonly #rights: DeviceRights;
  readonly #calls: RelayedCalls;

  /** @throws IotmpError IOTMP_ERR_CONFIG */
  constructor(
    server: IotmpServer,
    rights: DeviceRights,
    { maxHops = DEFAULT_MAX_HOPS }: DeviceCallOptions = {},
  ) {
    this.#server = server;
    this.#rights = rights;
    this.#calls = new RelayedCalls(maxHops);
  }

  close(): void {
    // Pending calls belong to the connections of their targets.
  }

  #relay({ caller, parameters, payload }: ServiceCall): Promise<unknown> {
    const target = callTarget(parameters, caller);
    const name = `${target.user}/${target.device}`;
    // The right comes first, so that no device learns which devices other users have.
    this.#rights.check(resourceRequest(caller, target));
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

function answerOf({ payload, statusCode }: Reply): Answer | Value | undefined {
  return statusCode === 200 ? payload : new Answer(payload, statusCode);
}

/** The target's error is its answer. Every other error is the server's own. */
function answerOfFailure(error: unknown): Answer {
  if (!(error instanceof RemoteError)) throw error;
  // The code of an ERROR may be any number, but it must stay one.
  return new Answer(error.payload, error.statusCode >= 400 ? error.statusCode : 500);
}
