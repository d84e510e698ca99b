import { IotmpError } from '../errors';

/** A call of one device by another while it is under way. */
export interface RelayedCall {
  readonly caller: string;
  readonly target: string;
  /** How many calls may lie behind it, itself included. */
  readonly hops: number;
}

/** What a device has to do with relayed calls. */
interface Load {
  /** Calls of its own that wait for their answer. */
  calling: number;
  /** Calls that it serves, in the order in which they came. */
  readonly serving: RelayedCall[];
}

/** Calls of one device that may wait at once, over its connections: it may come back while they do. */
const MAX_CALLING = 256;

/**
 * The calls of devices by devices that are under way, so that those that go in a circle come to an end.
 *
 * Nothing on the wire says whether a device calls another on its own account or because it is being called itself. So
 * a call counts as one hop more than the call that its caller has begun to serve last, if it still serves one, and
 * there is a limit of hops. A circle ends there, however many devices it has, and whether or not they wait for the
 * answers. Devices that happen to call each other at the same time get through; only those that do so all the time,
 * many calls at once in both directions, cannot be told from a circle.
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

  /** Devices that call or are called at the moment. */
  get size(): number {
    return this.#loads.size;
  }

  /**
   * Notes a call, until {@link end}. Devices are given by their keys.
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
