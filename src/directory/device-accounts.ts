import { z } from 'zod';
import { checkUser } from '../broker/authenticator';
import { IotmpError } from '../errors';
import type { DeviceDirectory } from '../broker/directory-authenticator';
import type { DeviceId } from '../types';
import { isDeepStrictEqual } from 'node:util';
import { hashCredential, matchesCredential } from '../util/credential-hash';
import { detached } from '../util/guard';
import { allSettled, changed, Records, type Documents, type Keeper, type RecordChange } from './records';
import type { Revocations } from './revocations';

/** The record of a device that was made over the API. Times are in ms since 1970. */
export const deviceRecord = z.object({
  device: z.string(),
  user: z.string(),
  type: z.string(),
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  asset_type: z.string(),
  asset_group: z.string(),
  product: z.string(),
  project: z.array(z.string()),
  /** Hash of the credential. Devices of some types have none and never connect. */
  credential: z.string().optional(),
  /** Hash of the credential that is to come: the first login with it makes it the only one. */
  next: z.string().optional(),
  /** Id of the pattern of names that let the device in at first. */
  provisioning: z.string().optional(),
  created: z.number(),
  modified: z.number(),
});

export type DeviceRecord = z.infer<typeof deviceRecord>;

/** A change of a device. */
export interface DeviceChange extends RecordChange<
  Pick<
    DeviceRecord,
    'name' | 'description' | 'enabled' | 'asset_type' | 'asset_group' | 'product' | 'project'
  >
> {
  /** The credential itself; only its hash is kept. */
  readonly credentials?: string | undefined;
  /**
   * The credential that is to come; empty is none. Only its hash is kept. Where it is the device's already, its first login
   * is over, and `credentials` are left as they are.
   */
  readonly next_credentials?: string | undefined;
}

/** A device to be made. */
export interface DeviceDraft extends DeviceId, DeviceChange {
  readonly type: string;
  /** As in {@link DeviceRecord}. */
  readonly provisioning?: string | undefined;
}

/** What the devices of a directory depend on. */
export interface DeviceAccountsPort {
  /** Whether the devices of a user must not connect. */
  readonly isLockedOut: (user: string) => boolean;
  /** Is called at once when a device was removed or disabled, or has another credential. */
  readonly onCutOff: (id: DeviceId) => void;
  /** Is called when a record is about to be removed. What it returns is waited for. */
  readonly onRemove: (record: DeviceRecord) => Promise<void> | undefined;
  /** Is called at once when a record was made, changed or removed, and when that was taken back. */
  readonly onChange: (id: DeviceId) => void;
  /** Is called when a device has logged in with its next credential. */
  readonly onRotated: (id: DeviceId) => void;
}

/** The devices that were made over the API: their records, and whether they may connect. */
export class DeviceAccounts implements DeviceDirectory {
  readonly #records: Records<DeviceRecord>;
  readonly #port: DeviceAccountsPort;

  constructor(documents: Documents, revocations: Revocations, port: DeviceAccountsPort) {
    this.#records = new Records(documents, 'device', deviceRecord, {
      onChange: ({ user, id }, before) => this.#review({ user, device: id }, before),
      rights: { revocations, least: leastDevice },
    });
    this.#port = port;
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  /** Also of a device whose record cannot be read: nobody else decides about it, and it does not get in. */
  has({ user, device }: DeviceId): boolean {
    const key = { user, id: device };
    return this.#records.has(key) || this.#records.isUnusable(key);
  }

  /** Whether the device was removed, but the store has it still. */
  isRemovalOwed({ user, device }: DeviceId): boolean {
    return this.#records.isRemovalOwed({ user, id: device });
  }

  /** Whether the device must not connect, whatever it has to show: also one that was removed, but is in the store still. */
  locksOut(id: DeviceId): boolean {
    if (this.#port.isLockedOut(id.user) || this.isRemovalOwed(id)) return true;
    return this.has(id) && this.get(id)?.enabled !== true;
  }

  admits(id: DeviceId, credential: string): boolean {
    const record = this.get(id);
    if (record?.enabled !== true || record.credential === undefined) return false;
    if (this.#port.isLockedOut(id.user)) return false;
    if (matchesCredential(credential, record.credential)) return true;
    const { next, ...rest } = record;
    if (next === undefined || !matchesCredential(credential, next)) return false;
    this.#rotate({ ...rest, credential: next, modified: Date.now() });
    return true;
  }

  /** The next credential of a device is its only one from now on, whether that can be kept at once or not. */
  #rotate(record: DeviceRecord): void {
    const { user, device } = record;
    // What cannot be kept is told and written again by the revocations.
    detached('credential rotated', ignore, this.#records.put({ user, id: device }, record));
    this.#port.onRotated({ user, device });
  }

  get({ user, device }: DeviceId): DeviceRecord | undefined {
    return this.#records.get({ user, id: device });
  }

  list(user: string): readonly DeviceRecord[] {
    return this.#records.list(user);
  }

  count(user: string): number {
    return this.#records.count(user);
  }

  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT, IOTMP_ERR_CONFIG for the user of devices without registration */
  async create(draft: DeviceDraft): Promise<DeviceRecord> {
    checkUser(draft.user);
    if (this.has(draft))
      throw new IotmpError('IOTMP_ERR_CONFLICT', `device ${draft.device} is already there`);
    const { user, device, type, provisioning, ...change } = draft;
    const now = Date.now();
    const fresh: DeviceRecord = {
      device,
      user,
      type,
      name: device,
      description: '',
      enabled: true,
      asset_type: '',
      asset_group: '',
      product: '',
      project: [],
      created: now,
      modified: now,
      ...(provisioning !== undefined && { provisioning }),
    };
    return this.#keep(fresh, change);
  }

  update(record: DeviceRecord, change: DeviceChange): Promise<DeviceRecord> {
    return this.#keep({ ...record, modified: Date.now() }, change);
  }

  async remove({ user, device }: DeviceId): Promise<void> {
    const record = this.get({ user, device });
    const noted = record === undefined ? undefined : this.#port.onRemove(record);
    await allSettled([this.#records.remove({ user, id: device }), noted ?? Promise.resolve()]);
  }

  /** Ends the connection of a device that would not be let in as it was. */
  #review(id: DeviceId, before: DeviceRecord | undefined): void {
    const record = this.get(id);
    const isAsBefore = record?.enabled === true && record.credential === before?.credential;
    if (!isAsBefore) this.#port.onCutOff(id);
    this.#port.onChange(id);
  }

  async #keep(
    record: DeviceRecord,
    { credentials, next_credentials: following, ...change }: DeviceChange,
  ): Promise<DeviceRecord> {
    const next = withCredentials(changed<DeviceRecord>(record, change), credentials, following);
    const key = { user: record.user, id: record.device };
    const isNew = !this.#records.has(key);
    const kept = this.#records.put(key, next);
    if (isNew) this.#port.onChange(record);
    await kept;
    return next;
  }
}

/** The record with new credentials. Flows write the same ones again and again: those change nothing. */
function withCredentials(
  { next: kept, ...record }: DeviceRecord,
  credentials: string | undefined,
  following: string | undefined,
): DeviceRecord {
  const { credential = '' } = record;
  const before = kept === undefined ? record : { ...record, next: kept };
  if (following !== undefined && matchesCredential(following, credential)) return before;
  const isNew = credentials !== undefined && !matchesCredential(credentials, credential);
  const renewed = isNew ? { ...record, credential: hashCredential(credentials) } : record;
  if (following === undefined) return isNew ? renewed : before;
  if (following === '' || following === credentials) return renewed;
  const isKept = kept !== undefined && matchesCredential(following, kept);
  return { ...renewed, next: isKept ? kept : hashCredential(following) };
}

function leastDevice(
  before: DeviceRecord | undefined,
  next: DeviceRecord | undefined,
): DeviceRecord | undefined {
  if (before === undefined || next === undefined) return undefined;
  const held = { ...before, enabled: before.enabled && next.enabled };
  if (next.credential !== undefined) held.credential = next.credential;
  if (next.next !== before.next) delete held.next;
  return isDeepStrictEqual(held, before) ? before : held;
}

function ignore(): void {
  // Is told elsewhere.
}
