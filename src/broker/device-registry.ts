import { randomInt } from 'node:crypto';
import { MAX_STREAM_ID } from '../codec/constants';
import { asError, IotmpError } from '../errors';
import { IdSequence } from '../session/requests/id-sequence';
import type { CallOptions, Reply } from '../session/requests/reply';
import type { DeviceId } from '../types';
import { BoundedMap } from '../util/bounded-map';
import { deviceKey } from '../util/device-key';
import type { ConnectedDevice } from './connected-device';
import { DeviceMap } from './device-map';
import { LastKnownStates } from './last-known';
import { LastKnownMemory, type LastKnownMemoryPort } from './last-known-memory';
import type { IntervalMemory } from './stream-source';

/** What outlives a device's connections. */
export interface RememberedDevice extends IntervalMemory {
  readonly id: DeviceId;
  /** Stream ids run on over connections, because late answers of an old one arrive on the new one. */
  readonly ids: IdSequence;
  readonly lastKnown: LastKnownStates;
}

/** Maximum number of records. Of the devices that are away, the one that came longest ago is forgotten. */
const MAX_RECORDS = 100_000;

/** The devices that are connected, one connection each (`protocol.md` section 4.6). */
export class DeviceRegistry {
  readonly #connected = new DeviceMap<ConnectedDevice>();
  /** The same ones, in the order in which they came. */
  readonly #arrivals = new Set<ConnectedDevice>();
  readonly #records = new BoundedMap<string, RememberedDevice>(MAX_RECORDS, {
    isPinned: ({ id }) => this.#connected.get(id) !== undefined,
    onForget: ({ lastKnown }) => void lastKnown.clear(),
  });
  readonly #memory: LastKnownMemory;

  constructor(port: LastKnownMemoryPort) {
    this.#memory = new LastKnownMemory(port);
  }

  /** Number of last known states that gave way to newer ones. */
  get statesDropped(): number {
    return this.#memory.dropped;
  }

  /** Number of connected devices. */
  get size(): number {
    return this.#connected.size;
  }

  /** The device, while it is connected. */
  get(id: DeviceId): ConnectedDevice | undefined {
    return this.#connected.get(id);
  }

  /**
   * Calls a resource of a device.
   * @throws IotmpError (as a rejection) IOTMP_ERR_OFFLINE, or as a call does
   */
  call(id: DeviceId, resource: string, options?: CallOptions): Promise<Reply> {
    try {
      const device = this.#connected.get(id);
      if (device !== undefined) return device.call(resource, options);
      throw new IotmpError('IOTMP_ERR_OFFLINE', `${id.user}/${id.device} is not connected`);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  /** The connected devices, in the order in which they came. */
  values(): IterableIterator<ConnectedDevice> {
    return this.#arrivals.values();
  }

  /** What is remembered of a device; made when there is nothing yet. */
  record(id: DeviceId): RememberedDevice {
    const key = deviceKey(id);
    const record = this.#records.get(key) ?? this.#newRecord(id);
    this.#records.set(key, record);
    return record;
  }

  /** What is remembered of a device, if anything. */
  lastKnown(id: DeviceId): LastKnownStates | undefined {
    return this.#records.get(deviceKey(id))?.lastKnown;
  }

  /** Forgets what is remembered of a device that is away, as when it is removed. */
  forget(id: DeviceId): void {
    if (this.#connected.get(id) !== undefined) return;
    this.lastKnown(id)?.clear();
    this.#records.delete(deviceKey(id));
  }

  /** Adds a connection, in place of an older one of the same device. */
  add(device: ConnectedDevice): void {
    const older = this.#connected.get(device);
    if (older !== undefined) this.#arrivals.delete(older);
    this.#connected.set(device, device);
    this.#arrivals.add(device);
  }

  /** Takes a connection out. Returns false when a newer one of the same device has its place. */
  remove(device: ConnectedDevice): boolean {
    if (this.#connected.get(device) !== device) return false;
    this.#arrivals.delete(device);
    return this.#connected.delete(device);
  }

  /** Ids begin anywhere: a device may still send what an earlier run of this server asked for under low ones. */
  #newRecord({ user, device }: DeviceId): RememberedDevice {
    const id = { user, device };
    return {
      id,
      ids: new IdSequence(randomInt(MAX_STREAM_ID + 1), true),
      lastKnown: new LastKnownStates(id, this.#memory),
      intervalForm: 'map',
    };
  }
}
