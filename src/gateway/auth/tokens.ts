import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { toUnixSeconds } from '../../util/unix-time';
import { isDeepStrictEqual } from 'node:util';
import { changed, Records, type Documents, type Keeper, type RecordChange } from '../../directory/records';
import type { Revocations } from '../../directory/revocations';
import { conflict } from '../http/request-error';
import { commonGrants, grants, joinedGrants } from '../../rights/permissions';
import type { TokenSigner } from './token-signer';

const tokenRecord = z.object({
  token: z.string(),
  user: z.string(),
  /** The id of the JWT. A token that is made again under the same name does not make the older one valid. */
  jti: z.string(),
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  allow: grants.optional(),
  deny: grants.optional(),
  /** In s since 1970. */
  expire: z.number().transform(toUnixSeconds).optional(),
  created: z.number(),
  modified: z.number(),
});

/** The record of a named token of a user. */
export type TokenRecord = z.infer<typeof tokenRecord>;

/** The settings of a token that a program may give. */
export type TokenDraft = RecordChange<
  Pick<TokenRecord, 'name' | 'description' | 'enabled' | 'allow' | 'deny' | 'expire'>
>;

/** The named tokens of users, each with its permissions and its time of expiry. */
export class Tokens {
  readonly #records: Records<TokenRecord>;
  readonly #signer: TokenSigner;

  /** @param onChange is called when a token may have become invalid */
  constructor(documents: Documents, revocations: Revocations, signer: TokenSigner, onChange?: () => void) {
    const rights = { revocations, least: leastToken };
    this.#records = new Records(documents, 'token', tokenRecord, { onChange, rights });
    this.#signer = signer;
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  get(user: string, token: string): TokenRecord | undefined {
    return this.#records.get({ user, id: token });
  }

  /** Whether a token is no more, but still in the store, or there with a record that cannot be read. */
  isLeftOver(user: string, token: string): boolean {
    const key = { user, id: token };
    return this.#records.isRemovalOwed(key) || this.#records.isUnusable(key);
  }

  list(user: string): readonly TokenRecord[] {
    return this.#records.list(user);
  }

  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT */
  async create(user: string, token: string, draft: TokenDraft): Promise<TokenRecord> {
    if (this.get(user, token) !== undefined) throw conflict(`token ${token} is already there`);
    const now = Date.now();
    const fresh: TokenRecord = {
      token,
      user,
      jti: `${token}.${randomUUID()}`,
      name: token,
      description: '',
      enabled: true,
      created: now,
      modified: now,
    };
    return this.update(fresh, draft);
  }

  async update(record: TokenRecord, draft: TokenDraft): Promise<TokenRecord> {
    const next = { ...changed<TokenRecord>(record, draft), modified: Date.now() };
    await this.#records.put({ user: record.user, id: record.token }, next);
    return next;
  }

  remove(user: string, token: string): Promise<void> {
    return this.#records.remove({ user, id: token });
  }

  async removeAll(user: string): Promise<void> {
    await this.#records.removeAll(user);
  }

  /** The token in the form that a program sends. It is the same each time. */
  sign({ user, jti, expire, created }: TokenRecord, host: string): Promise<string> {
    const iat = Math.floor(created / 1000);
    return this.#signer.sign({
      usr: user,
      jti,
      svr: host,
      iat,
      ...(expire === undefined ? {} : { exp: expire }),
    });
  }

  /** The token of a `jti`, while it is valid. */
  find(user: string, jti: string): TokenRecord | undefined {
    const record = this.get(user, jti.split('.', 1)[0] ?? '');
    if (record?.jti !== jti || !record.enabled) return undefined;
    return record.expire !== undefined && record.expire * 1000 <= Date.now() ? undefined : record;
  }
}

function leastToken(before: TokenRecord | undefined, next: TokenRecord | undefined): TokenRecord | undefined {
  if (before === undefined || next === undefined) return undefined;
  const held: TokenRecord = { ...before, enabled: before.enabled && next.enabled };
  const expire = Math.min(before.expire ?? Infinity, next.expire ?? Infinity);
  if (expire !== Infinity) held.expire = expire;
  if (!isDeepStrictEqual(before.allow, next.allow)) held.allow = commonGrants(before.allow, next.allow);
  if (!isDeepStrictEqual(before.deny, next.deny)) held.deny = joinedGrants(before.deny, next.deny);
  return isDeepStrictEqual(held, before) ? before : held;
}
