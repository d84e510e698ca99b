import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { allSettled, leastKept, Records, type Documents, type Keeper } from '../../directory/records';
import type { Revocations } from '../../directory/revocations';
import type { UserRecord } from '../../directory/user-accounts';
import { unauthorized } from '../http/request-error';
import type { TokenClaims, TokenSigner } from './token-signer';

/** A login. All its access and refresh tokens name it, so that the end of the session ends them all. */
const sessionRecord = z.object({
  id: z.string(),
  user: z.string(),
  /** The one refresh token that is valid. */
  refresh: z.string(),
  created: z.number(),
  /** In ms since 1970. */
  expires: z.number(),
});

type SessionRecord = z.infer<typeof sessionRecord>;

/** The answer to a login (`platform-api.md` section 1.1). */
export const tokenPair = z.object({
  access_token: z.string(),
  expires_in: z.number().describe('seconds'),
  refresh_token: z.string(),
  scope: z.null(),
  token_type: z.literal('bearer'),
});

export type TokenPair = z.infer<typeof tokenPair>;

/** Lifetimes of tokens, in s. */
export interface TokenLifetimes {
  readonly accessS: number;
  readonly refreshS: number;
}

const MAX_SESSIONS = 50;

/** Logins of users: short-lived access tokens, and refresh tokens that can be used once. */
export class Sessions {
  readonly #records: Records<SessionRecord>;
  readonly #signer: TokenSigner;
  readonly #lifetimes: TokenLifetimes;

  /** @param onChange is called when a session may have ended */
  constructor(
    documents: Documents,
    revocations: Revocations,
    { signer, lifetimes }: { readonly signer: TokenSigner; readonly lifetimes: TokenLifetimes },
    onChange?: () => void,
  ) {
    this.#records = new Records(documents, 'session', sessionRecord, {
      onChange,
      rights: { revocations, least: leastKept },
    });
    this.#signer = signer;
    this.#lifetimes = lifetimes;
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  /** Whether the session of an access token is still open. */
  has(user: string, id: string): boolean {
    return this.#records.has({ user, id });
  }

  async open({ user, role }: Pick<UserRecord, 'user' | 'role'>, host: string): Promise<TokenPair> {
    await this.#makeRoom(user);
    return this.#issue({ id: randomUUID(), user, created: Date.now() }, role, host);
  }

  /**
   * New tokens for the session of a refresh token, in place of the older ones. A refresh token that was used before ends its
   * session: somebody else has it, too.
   * @param userOf the user of that name; throws where the session must not go on
   * @throws IotmpError (as a rejection) IOTMP_ERR_AUTH
   */
  async renew(
    token: string,
    userOf: (name: string) => Pick<UserRecord, 'role'>,
    host: string,
  ): Promise<TokenPair> {
    const claims = await this.#signer.verify(token, 'refresh');
    const { usr: user = '', sid: id = '' } = claims ?? {};
    const session = this.#records.get({ user, id });
    if (session === undefined || session.expires <= Date.now()) throw unauthorized('invalid refresh token');
    // Taken at once: of two renewals with the same token at the same time, only one gets new tokens.
    if (session.refresh === claims?.jti) return this.#issue(session, userOf(user).role, host);
    await this.end(user, id);
    throw unauthorized('invalid refresh token');
  }

  end(user: string, id: string): Promise<void> {
    return this.#records.remove({ user, id });
  }

  async endAll(user: string): Promise<void> {
    await this.#records.removeAll(user);
  }

  async #issue(
    session: Pick<SessionRecord, 'id' | 'user' | 'created'>,
    role: string,
    host: string,
  ): Promise<TokenPair> {
    const { id: sid, user: usr, created } = session;
    const { accessS, refreshS } = this.#lifetimes;
    const now = Date.now();
    const iat = Math.floor(now / 1000);
    const refresh = randomUUID();
    const claims: TokenClaims = { usr, sid, iat, jti: randomUUID(), svr: host, role };
    await this.#records.put(
      { user: usr, id: sid },
      { id: sid, user: usr, created, refresh, expires: now + refreshS * 1000 },
    );
    const [access_token, refresh_token] = await Promise.all([
      this.#signer.sign({ ...claims, exp: iat + accessS }),
      this.#signer.sign({ usr, sid, iat, jti: refresh, exp: iat + refreshS }, 'refresh'),
    ]);
    return { access_token, expires_in: accessS, refresh_token, scope: null, token_type: 'bearer' };
  }

  async #makeRoom(user: string): Promise<void> {
    const now = Date.now();
    const sessions = [...this.#records.list(user)].sort((a, b) => a.expires - b.expires);
    const surplus = Math.max(0, sessions.length - MAX_SESSIONS + 1);
    const ended = sessions.filter(({ expires }, index) => index < surplus || expires <= now);
    await allSettled(ended.map(({ id }) => this.end(user, id)));
  }
}
