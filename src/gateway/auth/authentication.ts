import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { BoundedMap } from '../../util/bounded-map';
import type { UserAccounts } from '../../directory/user-accounts';
import { unauthorized } from '../http/request-error';
import type { DeviceTokens } from './device-tokens';
import {
  devicePermissions,
  FULL_PERMISSIONS,
  grantedPermissions,
  type Permissions,
} from '../../rights/permissions';
import type { Principal } from './principal';
import type { Sessions } from './sessions';
import type { TokenClaims, TokenSigner } from './token-signer';
import type { TokenRecord, Tokens } from './tokens';

/** The records that tokens are checked against. */
export interface AuthenticationPort {
  readonly signer: TokenSigner;
  readonly users: UserAccounts;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly deviceTokens: DeviceTokens;
}

/** Longest token that is checked, in characters. */
const MAX_TOKEN = 4096;
/** Maximum number of tokens whose claims are remembered. */
const MAX_VERIFIED = 1000;

/** Authenticates requests. A token is valid until it expires or is revoked, which is looked up each time. */
export class Authentication {
  readonly #port: AuthenticationPort;
  /** Claims of tokens whose signature was checked, as checking it takes longer than most requests. */
  readonly #verified = new BoundedMap<string, TokenClaims>(MAX_VERIFIED);
  /** What the records of tokens allow. A record never changes: another one takes its place. */
  readonly #granted = new WeakMap<TokenRecord, Permissions>();

  constructor(port: AuthenticationPort) {
    this.#port = port;
  }

  /** The sender of a request, where the signature of its token was checked before: as {@link authenticate}, without a wait. */
  known(request: IncomingMessage, query: URLSearchParams): Principal | undefined {
    const claims = this.#verified.get(tokenOf(request, query) ?? '');
    return claims && this.#principalOf(claims);
  }

  /**
   * The sender of a request, by its header `Authorization: Bearer` or its query `authorization`.
   * @throws IotmpError (as a rejection) IOTMP_ERR_AUTH
   */
  async authenticate(request: IncomingMessage, query: URLSearchParams): Promise<Principal> {
    const token = tokenOf(request, query);
    if (token === undefined) throw unauthorized('a token is needed');
    const claims = token.length <= MAX_TOKEN ? await this.#claimsOf(token) : undefined;
    const principal = claims && this.#principalOf(claims);
    if (principal === undefined) throw unauthorized('the token is wrong, expired or revoked');
    return principal;
  }

  async #claimsOf(token: string): Promise<TokenClaims | undefined> {
    const known = this.#verified.get(token);
    if (known !== undefined) return known;
    const claims = await this.#port.signer.verify(token);
    if (claims === undefined) return undefined;
    this.#verified.set(token, claims);
    return claims;
  }

  #principalOf(claims: TokenClaims): Principal | undefined {
    const { usr: user, exp } = claims;
    if (exp !== undefined && exp * 1000 <= Date.now()) return undefined;
    const account = this.#port.users.get(user);
    if (this.#port.users.isLockedOut(user)) return undefined;
    const permissions = this.#permissionsOf(claims);
    if (permissions === undefined) return undefined;
    const token = claims.sid ?? claims.jti;
    // A device token is for one device of its user, also where the user may reach the devices of others.
    const role = claims.dev === undefined ? (account?.role ?? 'user') : 'user';
    const counts = (): boolean => {
      const now = this.#principalOf(claims);
      return now?.role === role && isDeepStrictEqual(now.permissions.grants, permissions.grants);
    };
    return { user, role, token, permissions, resources: claims.res, counts };
  }

  #permissionsOf({ usr, jti, sid, dev }: TokenClaims): Permissions | undefined {
    const { sessions, tokens, deviceTokens } = this.#port;
    if (sid !== undefined) return sessions.has(usr, sid) ? FULL_PERMISSIONS : undefined;
    if (dev === undefined) {
      const record = tokens.find(usr, jti);
      return record && this.#grantedBy(record);
    }
    const isKept = deviceTokens.get({ user: usr, device: dev }, jti) !== undefined;
    return isKept ? devicePermissions(dev) : undefined;
  }

  #grantedBy(record: TokenRecord): Permissions {
    let permissions = this.#granted.get(record);
    if (permissions === undefined) {
      permissions = grantedPermissions(record.allow, record.deny);
      this.#granted.set(record, permissions);
    }
    return permissions;
  }
}

/** Whether a request has a token, valid or not. */
export function hasToken(request: IncomingMessage, query: URLSearchParams): boolean {
  return tokenOf(request, query) !== undefined;
}

function tokenOf(request: IncomingMessage, query: URLSearchParams): string | undefined {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token !== undefined) return token;
  return query.get('authorization') ?? undefined;
}
