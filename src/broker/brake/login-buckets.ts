import type { DeviceId } from '../../types';
import { BoundedMap } from '../../util/bounded-map';
import type { Clock } from '../../util/clock';
import { deviceKey } from '../../util/device-key';
import { RateLimiter } from '../../util/rate-limiter';

/** Tries of an address that fail: for a guesser few, for a site whose devices have old credentials enough. */
const OF_ADDRESS = { perSecond: 5, burst: 50 };
/** Tries of one device at one address: one in 5 s is the pace at which public firmware repeats. */
const OF_DEVICE = { perSecond: 0.2, burst: 3 };
/** Maximum number of devices whose address is remembered. The device that was let in longest ago is forgotten. */
const MAX_KNOWN = 100_000;

/** What a try was charged. */
export interface Charge {
  readonly network: string;
  /** The bucket of the device at this address. */
  readonly device: string;
  /** Whether the address was charged, too. */
  readonly ofAddress: boolean;
}

/**
 * The tries that an address may make, and those that a device may make at an address. A device that was let in from an
 * address before is charged alone: its neighbours cannot use up its tries. There is no bucket for a device at all addresses
 * together, as with it anybody could lock a device out.
 */
export class LoginBuckets {
  readonly #addresses: RateLimiter;
  readonly #devices: RateLimiter;
  /** The networks of the devices that were let in, by the keys of their buckets. */
  readonly #known = new BoundedMap<string, string>(MAX_KNOWN, {
    onForget: (network) => this.#leave(network),
  });
  /** Number of known devices by network. */
  readonly #networks = new Map<string, number>();

  constructor(clock: Clock) {
    this.#addresses = new RateLimiter(OF_ADDRESS, clock);
    this.#devices = new RateLimiter(OF_DEVICE, clock);
  }

  /** Charges a try. Otherwise says whose bucket is empty. */
  charge(network: string, id: DeviceId): Charge | 'address' | 'device' {
    const device = `${network} ${deviceKey(id)}`;
    const ofAddress = !this.#known.has(device);
    if (ofAddress && !isTaken(this.#addresses, network)) return 'address';
    // The address stays charged: whoever guesses at one device alone is a guesser, too.
    if (!isTaken(this.#devices, device)) return 'device';
    return { network, device, ofAddress };
  }

  /** The device was let in: it gets back what it was charged, and is known at this address from now on. */
  letIn({ network, device, ofAddress }: Charge): void {
    this.#devices.giveBack(device);
    if (ofAddress) this.#addresses.giveBack(network);
    if (!this.#known.has(device)) this.#networks.set(network, (this.#networks.get(network) ?? 0) + 1);
    this.#known.set(device, network);
  }

  /** The try could not be checked, which is not the fault of the address. */
  spareAddress({ network, ofAddress }: Charge): void {
    if (ofAddress) this.#addresses.giveBack(network);
  }

  /** Whether a device is remembered that was let in from there. */
  hasLetIn(network: string): boolean {
    return this.#networks.has(network);
  }

  /** Gives an address all its tries. */
  refill(network: string): void {
    this.#addresses.forget(network);
  }

  #leave(network: string): void {
    const left = (this.#networks.get(network) ?? 1) - 1;
    if (left > 0) this.#networks.set(network, left);
    else this.#networks.delete(network);
  }
}

function isTaken(limiter: RateLimiter, key: string): boolean {
  return limiter.reserve(key, 0).isTaken;
}
