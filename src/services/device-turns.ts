import { Fifo } from '../util/fifo';

/** What one device may have at the store at once. */
export interface TurnLimits {
  readonly operations: number;
  /** Bytes of the values of these operations. A larger value has its turn alone. */
  readonly bytes: number;
}

interface WaitingTurn {
  readonly bytes: number;
  go(): void;
}

interface OwnTurns {
  /** Operations of the device that the store has now, and their bytes. */
  running: number;
  bytes: number;
  readonly waiting: Fifo<WaitingTurn>;
}

/**
 * Lets each device have some operations with the store at once, and the others wait in their order: a device that writes
 * without end does not have the store to itself.
 */
export class DeviceTurns {
  readonly #limits: TurnLimits;
  readonly #devices = new Map<string, OwnTurns>();

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Number of devices that have a turn or wait for one. */
  get size(): number {
    return this.#devices.size;
  }

  /**
   * Takes a turn of a device, to be given back by {@link end}: `undefined` at once, or a promise of it.
   * @param bytes size of the value of the operation
   */
  begin(device: string, bytes: number): Promise<void> | undefined {
    const own = this.#devices.get(device) ?? { running: 0, bytes: 0, waiting: new Fifo() };
    this.#devices.set(device, own);
    if (own.waiting.length > 0 || !this.#mayRun(own, bytes)) {
      return new Promise((go) => own.waiting.push({ bytes, go }));
    }
    run(own, bytes);
    return undefined;
  }

  /** An operation of these bytes is over: those that waited for its place have their turns. */
  end(device: string, bytes: number): void {
    const own = this.#devices.get(device);
    if (own === undefined) return;
    own.running--;
    own.bytes -= bytes;
    for (let next = own.waiting.first; next !== undefined; next = own.waiting.first) {
      if (!this.#mayRun(own, next.bytes)) break;
      own.waiting.shift();
      run(own, next.bytes);
      next.go();
    }
    if (own.running === 0) this.#devices.delete(device);
  }

  #mayRun({ running, bytes: taken }: OwnTurns, bytes: number): boolean {
    if (running === 0) return true;
    return running < this.#limits.operations && taken + bytes <= this.#limits.bytes;
  }
}

function run(own: OwnTurns, bytes: number): void {
  own.running++;
  own.bytes += bytes;
}
