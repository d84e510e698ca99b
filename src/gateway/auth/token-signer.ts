import { createHash } from 'node:crypto';
import { z } from 'zod';
import { IotmpError } from '../../errors';

/** The claims of a token. Clients read `usr`, `jti`, `svr`, `dev`, `res` and `exp` of them. */
const tokenClaims = z.object({
  usr: z.string(),
  jti: z.string(),
  iat: z.number(),
  /** In s since 1970; without it the token does not expire. */
  exp: z.number().optional(),
  /** The server's host, as clients reach it. */
  svr: z.string().optional(),
  role: z.string().optional(),
  /** The device that a device token is for. */
  dev: z.string().optional(),
  /** The resources of that device which it is for; without it, all. */
  res: z.array(z.string()).optional(),
  /** The session that an access or refresh token belongs to. */
  sid: z.string().optional(),
});

export type TokenClaims = z.infer<typeof tokenClaims>;

/** What a token is for: one kind is never taken for the other, as each has a key of its own. */
export type TokenUse = 'access' | 'refresh';

const ALGORITHM = 'HS256';
const MIN_SECRET = 16;
/** Three parts as they are signed. Decoders of base64 also take padding and other alphabets. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Signs and checks JSON Web Tokens (HS256). */
export class TokenSigner {
  readonly #keys: Readonly<Record<TokenUse, Buffer>>;

  /** @throws IotmpError IOTMP_ERR_CONFIG when the secret is shorter than 16 characters */
  constructor(secret: string) {
    if (secret.length < MIN_SECRET) {
      throw new IotmpError('IOTMP_ERR_CONFIG', `the API secret needs ${MIN_SECRET} characters or more`);
    }
    const key = (use: TokenUse): Buffer => createHash('sha256').update(`${use}:${secret}`).digest();
    this.#keys = { access: key('access'), refresh: key('refresh') };
  }

  async sign(claims: TokenClaims, use: TokenUse = 'access'): Promise<string> {
    const { SignJWT } = await import('jose');
    const { exp, ...others } = claims;
    return new SignJWT(exp === undefined ? others : { ...others, exp })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .sign(this.#keys[use]);
  }

  /** The claims of a token that was signed here and has not expired; `undefined` for any other. */
  async verify(token: string, use: TokenUse = 'access'): Promise<TokenClaims | undefined> {
    if (!COMPACT.test(token)) return undefined;
    const { errors, jwtVerify } = await import('jose');
    try {
      const { payload } = await jwtVerify(token, this.#keys[use], { algorithms: [ALGORITHM] });
      return tokenClaims.safeParse(payload).data;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
