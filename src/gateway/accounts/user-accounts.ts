import { z } from 'zod';
import { conflict } from '../http/request-error';
import { changed, type Change } from './changed';
import { Records, SERVER, type Documents } from './records';
import { hashPassword, matchesPassword } from './secret-hash';

export const userRole = z.enum(['user', 'admin']);

/** What a user may do beyond what is his own. */
export type UserRole = z.infer<typeof userRole>;

const userRecord = z.object({
  user: z.string(),
  role: userRole,
  enabled: z.boolean(),
  name: z.string(),
  email: z.string(),
  /** Hash of the password; without one the user has tokens, but cannot log in. */
  password: z.string().optional(),
  created: z.number(),
  modified: z.number(),
});

/** What is kept of a user. Times are in ms since 1970. */
export type UserRecord = z.infer<typeof userRecord>;

/** What may be told of a user. */
export interface UserDraft extends Change<Pick<UserRecord, 'role' | 'enabled' | 'name' | 'email'>> {
  /** The password itself; only its hash is kept. */
  readonly password?: string | undefined;
}

/** The users of the server. */
export class UserAccounts {
  readonly #records: Records<UserRecord>;

  constructor(documents: Documents) {
    this.#records = new Records(documents, 'user', userRecord);
  }

  load(): Promise<string[]> {
    return this.#records.load();
  }

  settled(): Promise<void> {
    return this.#records.settled();
  }

  get(user: string): UserRecord | undefined {
    return this.#records.get({ user: SERVER, id: user });
  }

  list(): readonly UserRecord[] {
    return this.#records.list(SERVER);
  }

  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT */
  async create(user: string, draft: UserDraft): Promise<UserRecord> {
    if (this.get(user) !== undefined) throw conflict(`user ${user} is already there`);
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
    return this.update(fresh, draft);
  }

  async update(record: UserRecord, { password, ...change }: UserDraft): Promise<UserRecord> {
    const next = { ...changed<UserRecord>(record, change), modified: Date.now() };
    if (password !== undefined) next.password = await hashPassword(password);
    await this.#records.put({ user: SERVER, id: record.user }, next);
    return next;
  }

  remove(user: string): Promise<void> {
    return this.#records.remove({ user: SERVER, id: user });
  }

  /** The user, if this is his password. Takes as long for one that is not there. */
  async login(user: string, password: string): Promise<UserRecord | undefined> {
    const record = this.get(user);
    const matches = await matchesPassword(password, record?.password);
    return matches && record?.enabled === true ? record : undefined;
  }
}
