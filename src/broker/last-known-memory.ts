import type { DeviceId } from '../types';
import { guarded, warnProcess } from '../util/guard';
import type { ServerLimits } from './server-limits';

/** The part of the memory that stays taken where devices give way. */
const STAYING = 0.9;

/** The states of one device, as the memory sees them. */
export interface StatesOfDevice {
  readonly id: DeviceId;
  /** Approximate memory of the states, in bytes. */
  readonly bytes: number;
  /** The turn of the memory at which a state was read or written last. */
  readonly usedAt: number;
  /** Forgets all states. Returns their number. */
  clear(): number;
  /** Measures what was seen in this turn. It must not throw. */
  measure(): void;
}

/** What the memory needs of its server. */
export interface LastKnownMemoryPort {
  limits(): ServerLimits;
  warn(text: string): void;
}

/**
 * The memory of the last known states of all devices. Where it is full, the states of the devices that were not used for
 * longest give way. The first loss of each kind is a warning, and all are counted.
 */
export class LastKnownMemory {
  readonly #port: LastKnownMemoryPort;
  /** The devices that have states. */
  readonly #devices = new Set<StatesOfDevice>();
  /** Those that have seen something in this turn. */
  #unmeasured: StatesOfDevice[] = [];
  #bytes = 0;
  #turn = 0;
  #dropped = 0;
  #isOneTold = false;
  #areAllTold = false;

  constructor(port: LastKnownMemoryPort) {
    this.#port = port;
  }

  /** Maximum memory of the states of one device, in bytes. */
  get bytesPerDevice(): number {
    const { lastKnownBytes, lastKnownBytesPerDevice } = this.#port.limits();
    return Math.min(lastKnownBytes, lastKnownBytesPerDevice);
  }

  /** Approximate memory of all states, in bytes. */
  get bytes(): number {
    this.#measure();
    return this.#bytes;
  }

  /** Number of states that gave way. */
  get dropped(): number {
    this.#measure();
    return this.#dropped;
  }

  /** A number that is greater than all before. */
  nextTurn(): number {
    return ++this.#turn;
  }

  /** Has the states of a device measured at the end of this turn. */
  measureLater(device: StatesOfDevice): void {
    if (this.#unmeasured.push(device) === 1) queueMicrotask(this.#onTurnEnd);
  }

  /** The states of a device take more memory, or less. The device is the one used last where they take more. */
  resize(device: StatesOfDevice, bytes: number): void {
    this.#bytes += bytes;
    if (device.bytes === 0) this.#devices.delete(device);
    else this.#devices.add(device);
    if (bytes > 0 && this.#bytes > this.#port.limits().lastKnownBytes) this.#makeRoom(device);
  }

  /** States of a device gave way to others of it. */
  drop({ id }: StatesOfDevice, count: number): void {
    this.#dropped += count;
    if (this.#isOneTold) return;
    this.#isOneTold = true;
    const what = `${id.user}/${id.device}: its last known states are too many or take more than ${this.bytesPerDevice} bytes`;
    this.#port.warn(`${what}, the oldest give way`);
  }

  readonly #onTurnEnd = guarded('last known states', warnProcess, () => this.#measure());

  #measure(): void {
    const devices = this.#unmeasured;
    this.#unmeasured = [];
    for (const device of devices) device.measure();
  }

  #makeRoom(newest: StatesOfDevice): void {
    const { lastKnownBytes } = this.#port.limits();
    const byAge = [...this.#devices].sort((one, other) => one.usedAt - other.usedAt);
    for (const device of byAge) {
      if (this.#bytes <= STAYING * lastKnownBytes) break;
      if (device !== newest) this.#dropped += device.clear();
    }
    if (this.#areAllTold) return;
    this.#areAllTold = true;
    this.#port.warn(
      `the last known states take more than ${lastKnownBytes} bytes, those of the devices that were not used for longest give way`,
    );
  }
}
