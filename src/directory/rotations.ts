import { z } from 'zod';
import type { DeviceId } from '../types';
import { hashCredential, matchesCredential } from '../util/credential-hash';
import { deviceKey } from '../util/device-key';
import { detached } from '../util/guard';
import { Records, type Documents, type Keeper, type RecordKey } from './records';
import type { Revocations } from './revocations';

/** That the first credential of a device in the settings is spent. Both credentials are hashes. */
const rotationRecord = z.object({
  user: z.string(),
  device: z.string(),
  spent: z.string(),
  /** The credential that took its place. */
  by: z.string(),
});

type RotationRecord = z.infer<typeof rotationRecord>;

/** What rotations depend on. */
export interface RotationPort {
  readonly documents: Documents;
  readonly revocations: Revocations;
  readonly isRead: () => boolean;
  /** A device has its next credential as its only one. */
  readonly onRotated: (id: DeviceId) => void;
}

/**
 * Remembers which first credentials of devices in the settings are spent. What cannot be kept is in force all the same, and
 * is written again until it is kept.
 */
export class Rotations {
  readonly #port: RotationPort;
  readonly #records: Records<RotationRecord>;
  /** Those of the time before the records were read, by device. */
  readonly #early = new Map<string, RotationRecord>();

  constructor(port: RotationPort) {
    this.#port = port;
    const { documents, revocations } = port;
    this.#records = new Records(documents, 'rotation', rotationRecord, {
      // A record takes a right away, and its removal gives one.
      rights: { revocations, least: (before, next) => next ?? before },
    });
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  /** Takes over what came before the records were read. */
  handleRead(): void {
    for (const record of this.#early.values()) {
      const isNew = !this.#records.has(keyOf(record));
      this.#keep(record);
      if (isNew) this.#port.onRotated(record);
    }
    this.#early.clear();
  }

  /** Whether a credential is spent. A record that cannot be read may be about any. */
  isSpent(id: DeviceId, credential: string): boolean {
    const record = this.#records.get(keyOf(id));
    if (record === undefined) return this.#records.isUnusable(keyOf(id));
    return matchesCredential(credential, record.spent);
  }

  /**
   * A device has logged in with its next credential.
   * @param spent hash of its first one
   */
  spend({ user, device }: DeviceId, spent: string, credential: string): void {
    const before = this.#records.get(keyOf({ user, device }));
    const isKnown = before !== undefined && matchesCredential(credential, before.by);
    // The hash of the same credential is another after a restart: written again, as the first one may be another, too.
    if (isKnown && before.spent === spent) return;
    const record = { user, device, spent, by: hashCredential(credential) };
    if (!this.#port.isRead()) {
      this.#early.set(deviceKey(record), record);
      return;
    }
    this.#keep(record);
    if (!isKnown) this.#port.onRotated({ user, device });
  }

  /** Whatever was spent of a device counts again. */
  forget(id: DeviceId): void {
    const key = keyOf(id);
    this.#early.delete(deviceKey(id));
    if (this.#records.has(key) || this.#records.isUnusable(key))
      detached('rotation forgotten', ignore, this.#records.remove(key));
  }

  #keep(record: RotationRecord): void {
    detached('rotation kept', ignore, this.#replace(keyOf(record), record));
  }

  async #replace(key: RecordKey, record: RotationRecord): Promise<void> {
    if (this.#records.isUnusable(key)) await this.#records.remove(key);
    await this.#records.put(key, record);
  }
}

function keyOf({ user, device }: DeviceId): RecordKey {
  return { user, id: device };
}

function ignore(): void {
  // What cannot be kept is told and written again by the revocations; what cannot be forgotten is tried at the next login.
}
