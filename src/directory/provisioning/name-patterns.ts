import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { checkUser } from '../../broker/authenticator';
import type { Login } from '../../broker/login';
import { IotmpError } from '../../errors';
import { matchesWildcard } from '../../rights/wildcard';
import { changed, Records, type Documents, type Keeper } from '../records';
import type { Revocations } from '../revocations';
import { hashCredential, matchesCredential } from '../../util/credential-hash';

const patternRecord = z.object({
  id: z.string(),
  user: z.string(),
  /** Names of devices; `*` stands for any run of characters. */
  pattern: z.string(),
  /** Hash of the key that the first login carries. */
  key: z.string(),
  enabled: z.boolean(),
  /** When it was turned on last. */
  since: z.number(),
  /** When it ends. */
  until: z.number(),
  /** Devices that were let in by it and are removed since: it does not let them in again. */
  removed: z.array(z.string()),
  created: z.number(),
  modified: z.number(),
});

/** The record of a pattern of names whose devices are registered by their first login. Times are in ms since 1970. */
export type NamePattern = z.infer<typeof patternRecord>;

/** A pattern to be made. It is off until it is turned on. */
export interface NamePatternDraft {
  readonly id: string;
  readonly user: string;
  readonly pattern: string;
  readonly key: string;
  readonly until: number;
}

/** A change of a pattern. */
export interface NamePatternChange {
  readonly enabled?: boolean | undefined;
  readonly until?: number | undefined;
  readonly key?: string | undefined;
}

/** Maximum number of devices of a pattern, those included that are removed since. */
export const MAX_OF_PATTERN = 1000;
/** Maximum number of patterns of a user. Each may cost a login a hash. */
const MAX_PATTERNS = 32;
/** Longest time that a pattern may last from now on, in ms. */
const LONGEST_MS = 366 * 86_400_000;
/** Fewest characters of a pattern that stand for themselves: one that fits every name is a mistake. */
const MIN_PLAIN = 3;
const MIN_KEY = 16;
const PATTERN = /^[a-zA-Z0-9_*-]{1,64}$/;
/** Names that the API can make devices of. */
const NAME = /^[a-zA-Z0-9_-]{1,32}$/;
/** How far a clock may go back after a pattern was turned on, in ms. */
const CLOCK_STEP_MS = 60_000;

/** The patterns of names by which devices are registered at their first login. */
export class NamePatterns {
  readonly #records: Records<NamePattern>;
  readonly #now: () => number;

  /** @param now the time, in ms since 1970 */
  constructor(documents: Documents, revocations: Revocations, now: () => number) {
    this.#records = new Records(documents, 'name-pattern', patternRecord, {
      rights: { revocations, least: leastPattern },
    });
    this.#now = now;
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  get(user: string, id: string): NamePattern | undefined {
    return this.#records.get({ user, id });
  }

  list(user: string): readonly NamePattern[] {
    return this.#records.list(user);
  }

  /** Whether a pattern lets devices in at the moment. */
  isActive({ enabled, since, until }: NamePattern): boolean {
    const now = this.#now();
    // A clock that is behind, as that of a board without a battery at its start, must not bring back what has ended.
    return enabled && now >= since - CLOCK_STEP_MS && now < until;
  }

  /**
   * Makes a pattern, which is off.
   * @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG for one that is not usable, IOTMP_ERR_CONFLICT, IOTMP_ERR_QUOTA
   */
  async create({ id, user, pattern, key, until }: NamePatternDraft): Promise<NamePattern> {
    checkUser(user);
    if (!PATTERN.test(pattern) || pattern.replaceAll('*', '').length < MIN_PLAIN) {
      throw unusable(`a pattern has letters, digits, "_", "-" and "*", and ${MIN_PLAIN} of them are not "*"`);
    }
    checkKey(key);
    this.#checkEnd(until);
    if (this.get(user, id) !== undefined) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', `pattern ${id} is already there`);
    }
    if (this.#records.count(user) >= MAX_PATTERNS) {
      throw new IotmpError('IOTMP_ERR_QUOTA', 'this user has as many patterns as allowed');
    }
    const now = this.#now();
    const times = { since: 0, until, created: now, modified: now };
    const record = { id, user, pattern, key: hashCredential(key), enabled: false, removed: [], ...times };
    await this.#records.put({ user, id }, record);
    return record;
  }

  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG for a key or an end that is not usable, or what the store throws */
  async update(record: NamePattern, { enabled, until, key }: NamePatternChange): Promise<NamePattern> {
    if (key !== undefined) checkKey(key);
    if (until !== undefined) this.#checkEnd(until);
    const hash = key === undefined ? undefined : hashCredential(key);
    const now = this.#now();
    const next = changed<NamePattern>(record, { enabled, until, key: hash, modified: now });
    if (enabled === true) next.since = now;
    await this.#records.put(record, next);
    return next;
  }

  /** Removes a pattern: it lets nobody in any more. Its devices stay. @throws what the store throws (as a rejection) */
  remove({ user, id }: NamePattern): Promise<void> {
    return this.#records.remove({ user, id });
  }

  /** @throws what the store throws (as a rejection) */
  removeAll(user: string): Promise<void> {
    return this.#records.removeAll(user);
  }

  /** The pattern that lets in a login of a device that is not registered. */
  find({ user, device, credential }: Login): NamePattern | undefined {
    if (!NAME.test(device)) return undefined;
    return this.list(user).find(
      (record) =>
        this.isActive(record) &&
        matchesWildcard(record.pattern, device) &&
        matchesCredential(credential, record.key) &&
        !record.removed.includes(device),
    );
  }

  /** Notes that a device was removed: the pattern that let it in does not let it in again. */
  async noteRemoved(user: string, id: string, device: string): Promise<void> {
    const record = this.get(user, id);
    if (record === undefined || record.removed.includes(device)) return;
    await this.#records.put(record, {
      ...record,
      removed: [...record.removed, device].slice(-MAX_OF_PATTERN),
    });
  }

  #checkEnd(until: number): void {
    const now = this.#now();
    if (until > now && until <= now + LONGEST_MS) return;
    throw unusable('a pattern ends at a time to come, within a year');
  }
}

/** What holds of a change whatever the store says: a pattern that is turned off, ends earlier, or has another key. */
function leastPattern(
  before: NamePattern | undefined,
  next: NamePattern | undefined,
): NamePattern | undefined {
  if (before === undefined || next === undefined) return undefined;
  const { key, removed } = next;
  const enabled = before.enabled && next.enabled;
  const held = { ...before, enabled, key, removed, until: Math.min(before.until, next.until) };
  return isDeepStrictEqual(held, before) ? before : held;
}

function checkKey(key: string): void {
  if (key.length >= MIN_KEY && key.length <= 255) return;
  throw unusable(`a key has ${MIN_KEY} to 255 characters: it lets in many devices`);
}

function unusable(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', text);
}
