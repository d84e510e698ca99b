import { z } from 'zod';
import { checkUser } from '../broker/authenticator';
import { IotmpError } from '../errors';
import { isDeepStrictEqual } from 'node:util';
import { changed, Records, SERVER, type Documents, type Keeper, type RecordChange } from './records';
import type { Revocations } from './revocations';
import { hashPassword, matchesPassword } from './password-hash';

export const userRole = z.enum(['user', 'admin']);

/** The rights of a user beyond his own assets. */
export type UserRole = z.infer<typeof userRole>;

const userRecord = z.object({
  user: z.string(),
  role: userRole,
  enabled: z.boolean(),
  name: z.string(),
  email: z.string(),
  /** Hash of the password. A user without one can have tokens, but cannot log in. */
  password: z.string().optional(),
  created: z.number(),
  modified: z.number(),
});

/** The record of a user. Times are in ms since 1970. */
export type UserRecord = z.infer<typeof userRecord>;

/** The settings of a user that an administrator may give. */
export interface UserDraft extends RecordChange<Pick<UserRecord, 'role' | 'enabled' | 'name' | 'email'>> {
  /** The password itself; only its hash is kept. */
  readonly password?: string | undefined;
}

/** The users of the server. */
export class UserAccounts {
  readonly #records: Records<UserRecord>;

  /** @param onChange is called when a user was changed or removed */
  constructor(documents: Documents, revocations: Revocations, onChange: (user: string) => void) {
    this.#records = new Records(documents, 'user', userRecord, {
      onChange: ({ id }) => onChange(id),
      rights: { revocations, least: leastUser },
    });
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  get(user: string): UserRecord | undefined {
    return this.#records.get({ user: SERVER, id: user });
  }

  /** Whether there is a record of a user that cannot be read. */
  isUnusable(user: string): boolean {
    return this.#records.isUnusable({ user: SERVER, id: user });
  }

  /** Whether nothing may be done in the name of a user: he is disabled, or his record cannot be read. */
  isLockedOut(user: string): boolean {
    return this.get(user)?.enabled === false || this.isUnusable(user);
  }

  /** Whether a user was disabled, or lost his password, and the store does not know yet. */
  isChangeOwed(user: string): boolean {
    return this.#records.isOwed({ user: SERVER, id: user });
  }

  list(): readonly UserRecord[] {
    return this.#records.list(SERVER);
  }

  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT, IOTMP_ERR_CONFIG for the user of devices that are not registered */
  async create(user: string, draft: UserDraft): Promise<UserRecord> {
    checkUser(user);
    this.#checkNew(user);
    const hash = await hashOf(draft);
    this.#checkNew(user);
    const now = Date.now();
    const fresh: UserRecord = {
      user,
      role: 'user',
      enabled: true,
      name: '',
      email: '',
      created: now,
      modified: now,
    };
    return this.#keep(fresh, draft, hash);
  }

  /**
   * Changes a user, or makes the record of a user that had none.
   * @throws IotmpError (as a rejection) IOTMP_ERR_NOT_FOUND when the user was removed meanwhile
   */
  async update(record: UserRecord, draft: UserDraft): Promise<UserRecord> {
    const { user } = record;
    const wasThere = this.get(user) !== undefined;
    const hash = await hashOf(draft);
    const current = this.get(user);
    if (wasThere && current === undefined)
      throw new IotmpError('IOTMP_ERR_NOT_FOUND', `there is no user ${user}`);
    return this.#keep({ ...(current ?? record), modified: Date.now() }, draft, hash);
  }

  remove(user: string): Promise<void> {
    return this.#records.remove({ user: SERVER, id: user });
  }

  /** The user, if the password is right. A user that does not exist takes as long. */
  async login(user: string, password: string): Promise<UserRecord | undefined> {
    const record = this.get(user);
    const matches = await matchesPassword(password, record?.password);
    return matches && record !== undefined && this.isCurrent(record) ? record : undefined;
  }

  /** Whether a login as this user is still valid. */
  isCurrent({ user, password }: UserRecord): boolean {
    const current = this.get(user);
    return current?.enabled === true && current.password === password;
  }

  async #keep(record: UserRecord, draft: UserDraft, password: string | undefined): Promise<UserRecord> {
    const next = changed<UserRecord>(record, { ...draft, password });
    await this.#records.put({ user: SERVER, id: next.user }, next);
    return next;
  }

  #checkNew(user: string): void {
    if (this.get(user) !== undefined)
      throw new IotmpError('IOTMP_ERR_CONFLICT', `user ${user} is already there`);
  }
}

/** A user without a record is one who is enabled. */
function leastUser(before: UserRecord | undefined, next: UserRecord | undefined): UserRecord | undefined {
  if (next === undefined) return before && { ...before, enabled: false };
  if (before === undefined) return next.enabled ? undefined : { ...next, role: 'user' };
  const role = before.role === next.role ? before.role : 'user';
  const held = { ...before, role, enabled: before.enabled && next.enabled };
  if (next.password !== undefined) held.password = next.password;
  return isDeepStrictEqual(held, before) ? before : held;
}

/** Takes its time: the user may be changed meanwhile. */
function hashOf({ password }: UserDraft): Promise<string | undefined> {
  return password === undefined ? Promise.resolve(undefined) : hashPassword(password);
}
