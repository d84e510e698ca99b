import { IotmpError } from '../errors';

/** A pending call of one device by another. */
export interface RelayedCall {
  readonly caller: string;
  readonly target: string;
  /** Number of calls in the chain that leads to this call, including this call. */
  readonly hops: number;
}

/** The relayed calls that a device makes and serves. */
interface Load {
  /** Number of the device's own pending calls. */
  calling: number;
  /** Calls that the device serves, in the order of their arrival. */
  readonly serving: RelayedCall[];
}

/** Maximum number of pending calls of one device, over all its connections. */
const MAX_CALLING = 256;

/**
 * The pending calls of devices by devices. It stops calls that go in a circle.
 *
 * No message says whether a device makes a call on its own account or because it is being called. So
 * a call counts as one hop more than the call that its caller has begun to serve last, if it still serves one, and
 * there is a limit of hops. A circle ends there, however many devices it has, and whether or not they wait for the
 * answers. Devices that happen to call each other at the same time get through. Devices that do so all the
 * time, with many calls at once in both directions, look like a circle and are refused.
 */
export class RelayedCalls {
  readonly #maxHops: number;
  readonly #loads = new Map<string, Load>();

  /** @throws IotmpError IOTMP_ERR_CONFIG unless `maxHops` is a whole number of 1 or more */
  constructor(maxHops: number) {
    if (!Number.isSafeInteger(maxHops) || maxHops < 1) {
      throw new IotmpError('IOTMP_ERR_CONFIG', 'maxHops must be a whole number of 1 or more');
    }
    this.#maxHops = maxHops;
  }

  /** Number of devices that make or serve a call now. */
  get size(): number {
    return this.#loads.size;
  }

  /**
   * Adds a call until {@link end}. Devices are named by their keys.
   * @throws IotmpError IOTMP_ERR_LOOP past the limit of hops or for a device that calls itself, IOTMP_ERR_BUSY
   */
  begin(caller: string, target: string): RelayedCall {
    if (caller === target) throw new IotmpError('IOTMP_ERR_LOOP', 'a device cannot call itself');
    const load = this.#loads.get(caller);
    const hops = (load?.serving.at(-1)?.hops ?? 0) + 1;
    if (hops > this.#maxHops) throw new IotmpError('IOTMP_ERR_LOOP', 'devices call each other in a circle');
    if (load !== undefined && load.calling >= MAX_CALLING) {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many calls to other devices at once');
    }
    const call = { caller, target, hops };
    this.#load(caller).calling++;
    this.#load(target).serving.push(call);
    return call;
  }

  /** The call has been answered or has failed. To be called once. */
  end(call: RelayedCall): void {
    const { serving } = this.#load(call.target);
    serving.splice(serving.indexOf(call), 1);
    this.#load(call.caller).calling--;
    this.#forgetIdle(call.caller);
    this.#forgetIdle(call.target);
  }

  #load(device: string): Load {
    let load = this.#loads.get(device);
    if (load === undefined) {
      load = { calling: 0, serving: [] };
      this.#loads.set(device, load);
    }
    return load;
  }

  #forgetIdle(device: string): void {
    const { calling, serving } = this.#load(device);
    if (calling === 0 && serving.length === 0) this.#loads.delete(device);
  }
}
