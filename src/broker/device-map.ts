import type { DeviceId } from '../types';

/**
 * Values by device. Two steps, user and then device, as their names are strings whose hashes are known; one key made of
 * both would have to be put together and hashed for each message.
 */
export class DeviceMap<T> {
  readonly #users = new Map<string, Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ user, device }: DeviceId): T | undefined {
    return this.#users.get(user)?.get(device);
  }

  set({ user, device }: DeviceId, value: T): void {
    const devices = this.#users.get(user) ?? new Map<string, T>();
    this.#users.set(user, devices);
    if (!devices.has(device)) this.#size++;
    devices.set(device, value);
  }

  /** Returns false when there is none. */
  delete({ user, device }: DeviceId): boolean {
    const devices = this.#users.get(user);
    if (devices?.delete(device) !== true) return false;
    if (devices.size === 0) this.#users.delete(user);
    this.#size--;
    return true;
  }

  /** All values; those of one user stand together. */
  *values(): IterableIterator<T> {
    for (const devices of this.#users.values()) yield* devices.values();
  }

  clear(): void {
    this.#users.clear();
    this.#size = 0;
  }
}
