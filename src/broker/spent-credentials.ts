import { IotmpError } from '../errors';
import type { DeviceId } from '../types';
import { deviceKey } from '../util/device-key';
import type { HashedDevice } from './registered-device';

/** Remembers which first credentials of devices in the settings are spent. */
export interface RotationMemory {
  /** Whether what was remembered is known yet. True without it. */
  isRead?(): boolean;
  /** Whether the first credential of a device, which is this one, is spent. */
  isSpent?(id: DeviceId, credential: string): boolean;
  /** The first credential of a device is spent: it has logged in with its next one, given as text. Must not throw. */
  spend?(id: DeviceId, spentHash: string, credential: string): void;
  /** Whatever was spent of a device counts again. Must not throw. */
  forgetSpent?(id: DeviceId): void;
}

/**
 * First credentials of the table that are spent, because the device has logged in with its next one. They count no more
 * as long as their row has a next one. Directories remember them over a restart.
 */
export class SpentCredentials {
  readonly #directories: ReadonlySet<RotationMemory>;
  /** The hash of the spent credential, by device. */
  readonly #spent = new Map<string, string>();

  constructor(directories: ReadonlySet<RotationMemory> = new Set()) {
    this.#directories = directories;
  }

  /**
   * Whether the first credential of a row, which is this one, is spent.
   * @throws IotmpError IOTMP_ERR_STORAGE while a directory is not read: it may be
   */
  isSpent(row: HashedDevice, credential: string): boolean {
    if (this.#isSpentHere(row)) return true;
    for (const directory of this.#directories) {
      if (directory.isSpent === undefined) continue;
      if (directory.isRead?.() === false)
        throw new IotmpError('IOTMP_ERR_STORAGE', 'the directory of devices is not read');
      if (directory.isSpent(row, credential)) return true;
    }
    return false;
  }

  /** The device has logged in with the next credential of its row, which is this one: the first one is spent. */
  spend(row: HashedDevice, credential: string): void {
    if (this.#isSpentHere(row)) return;
    this.#spent.set(deviceKey(row), row.hash);
    for (const directory of this.#directories) directory.spend?.(row, row.hash, credential);
  }

  /** The device has logged in, and its row has one credential: whatever was spent before is over. */
  forget(id: DeviceId): void {
    this.#spent.delete(deviceKey(id));
    for (const directory of this.#directories) directory.forgetSpent?.(id);
  }

  /** The hash of the credential that a device of this row has logged in with. */
  inUse(row: HashedDevice): string {
    return this.#isSpentHere(row) ? (row.nextHash ?? row.hash) : row.hash;
  }

  #isSpentHere(row: HashedDevice): boolean {
    return row.nextHash !== undefined && this.#spent.get(deviceKey(row)) === row.hash;
  }
}
