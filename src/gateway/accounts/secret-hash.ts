import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;

/**
 * Hash of a device's credential, with a salt of its own. It is a fast one: after a restart all devices come back at
 * once, and each login needs it. So credentials should be long and random, as ones for machines can be.
 */
export function hashCredential(credential: string): string {
  const salt = randomBytes(SALT_BYTES);
  return `hmac-sha256$${salt.toString('base64url')}$${hmac(salt, credential).toString('base64url')}`;
}

/** Whether a credential is the one that was hashed, in constant time. */
export function matchesCredential(credential: string, hash: string): boolean {
  const [kind, salt, expected] = hash.split('$');
  if (kind !== 'hmac-sha256' || salt === undefined || expected === undefined) return false;
  return isSame(hmac(Buffer.from(salt, 'base64url'), credential), Buffer.from(expected, 'base64url'));
}

/** Hash of a person's password: slow on purpose. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const { N, r, p } = SCRYPT;
  return [
    'scrypt',
    N,
    r,
    p,
    salt.toString('base64url'),
    (await slowHash(password, salt)).toString('base64url'),
  ].join('$');
}

/** Whether a password is the one that was hashed. Takes as long where there is no hash, so that nobody can tell. */
export async function matchesPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, , , , salt = '', expected = ''] = (hash ?? '').split('$');
  const actual = await slowHash(password, Buffer.from(salt, 'base64url'));
  return hash !== undefined && isSame(actual, Buffer.from(expected, 'base64url'));
}

function hmac(salt: Buffer, credential: string): Buffer {
  return createHmac('sha256', salt).update(credential, 'utf8').digest();
}

function slowHash(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, SCRYPT, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function isSame(actual: Buffer, expected: Buffer): boolean {
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
