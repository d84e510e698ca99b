import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { toUnixSeconds } from '../../util/unix-time';
import { changed, Records, type Documents, type RecordChange } from '../../directory/records';
import { conflict } from '../http/request-error';
import { grants } from '../../rights/permissions';
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
  constructor(documents: Documents, signer: TokenSigner, onChange?: () => void) {
    this.#records = new Records(documents, 'token', tokenRecord, onChange);
    this.#signer = signer;
  }

  load(): Promise<string[]> {
    return this.#records.load();
  }

  settled(): Promise<void> {
    return this.#records.settled();
  }

  get(user: string, token: string): TokenRecord | undefined {
    return this.#records.get({ user, id: token });
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
    await Promise.all(this.list(user).map(({ token }) => this.remove(user, token)));
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
