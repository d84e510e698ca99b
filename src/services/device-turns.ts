import { Fifo } from '../util/fifo';

interface OwnTurns {
  /** Operations of the device that the store has now. */
  running: number;
  readonly waiting: Fifo<() => void>;
}

/**
 * Lets each device have some operations with the store at once, and the others wait in their order: a device that writes
 * without end does not have the store to itself.
 */
export class DeviceTurns {
  readonly #max: number;
  readonly #devices = new Map<string, OwnTurns>();

  /** @param max operations of one device at once */
  constructor(max: number) {
    this.#max = max;
  }

  /** Number of devices that have a turn or wait for one. */
  get size(): number {
    return this.#devices.size;
  }

  /** Takes a turn of a device, to be given back by {@link end}: `undefined` at once, or a promise of it. */
  begin(device: string): Promise<void> | undefined {
    const own = this.#devices.get(device) ?? { running: 0, waiting: new Fifo() };
    this.#devices.set(device, own);
    if (own.running >= this.#max) return new Promise((resolve) => own.waiting.push(resolve));
    own.running++;
    return undefined;
  }

  /** The operation is over: the next one that waits has its turn. */
  end(device: string): void {
    const own = this.#devices.get(device);
    if (own === undefined) return;
    const next = own.waiting.shift();
    if (next !== undefined) next();
    else if (--own.running === 0) this.#devices.delete(device);
  }
}
