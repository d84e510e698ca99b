import { z } from 'zod';
import { conflict, notFound } from '../http/request-error';
import { changed, Records, SERVER, type Documents, type RecordChange } from './records';
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
export interface UserDraft extends RecordChange<Pick<UserRecord, 'role' | 'enabled' | 'name' | 'email'>> {
  /** The password itself; only its hash is kept. */
  readonly password?: string | undefined;
}

/** The users of the server. */
export class UserAccounts {
  readonly #records: Records<UserRecord>;

  /** @param onChange hears that a user may be somebody else, or gone */
  constructor(documents: Documents, onChange?: () => void) {
    this.#records = new Records(documents, 'user', userRecord, onChange);
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
   * Changes a user, or keeps one that was only implied so far.
   * @throws IotmpError (as a rejection) IOTMP_ERR_NOT_FOUND when he was removed meanwhile
   */
  async update(record: UserRecord, draft: UserDraft): Promise<UserRecord> {
    const { user } = record;
    const wasThere = this.get(user) !== undefined;
    const hash = await hashOf(draft);
    const current = this.get(user);
    if (wasThere && current === undefined) throw notFound(`there is no user ${user}`);
    return this.#keep({ ...(current ?? record), modified: Date.now() }, draft, hash);
  }

  remove(user: string): Promise<void> {
    return this.#records.remove({ user: SERVER, id: user });
  }

  /** The user, if this is his password. Takes as long for one that is not there. */
  async login(user: string, password: string): Promise<UserRecord | undefined> {
    const record = this.get(user);
    const matches = await matchesPassword(password, record?.password);
    return matches && record !== undefined && this.isCurrent(record) ? record : undefined;
  }

  /** Whether somebody who has logged in as this user is him still, and may go on. */
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
    if (this.get(user) !== undefined) throw conflict(`user ${user} is already there`);
  }
}

/** Takes its time: meanwhile the user may become another. */
function hashOf({ password }: UserDraft): Promise<string | undefined> {
  return password === undefined ? Promise.resolve(undefined) : hashPassword(password);
}
