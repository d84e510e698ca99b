import { hash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { guarded } from '../util/guard';

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Part of what is kept: with others, a hash needs another kind. */
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;

/**
 * Hash of a device's credential, with a salt of its own. It is a fast one: after a restart all devices come back at
 * once, and each login needs it. So credentials should be long and random, as ones for machines can be.
 */
export function hashCredential(credential: string): string {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  return `sha256$${salt}$${fastHash(salt, credential)}`;
}

/** Whether a credential is the one that was hashed, in constant time. */
export function matchesCredential(credential: string, kept: string): boolean {
  const [kind, salt, expected] = kept.split('$');
  if (kind !== 'sha256' || salt === undefined || expected === undefined) return false;
  return isSame(Buffer.from(fastHash(salt, credential)), Buffer.from(expected));
}

/** Hash of a person's password: slow on purpose. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  return `scrypt$${salt}$${await slowHash(salt, password)}`;
}

/** Whether a password is the one that was hashed. Takes as long where there is no hash, so that nobody can tell. */
export async function matchesPassword(password: string, kept = ''): Promise<boolean> {
  const [kind, salt = '', expected = ''] = kept.split('$');
  const actual = await slowHash(salt, password);
  return kind === 'scrypt' && isSame(Buffer.from(actual), Buffer.from(expected));
}

function fastHash(salt: string, credential: string): string {
  return hash('sha256', salt + credential, 'base64url');
}

function slowHash(salt: string, password: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const onHash = guarded('password hash', reject, (error: Error | null, key: Buffer) => {
      if (error === null) resolve(key.toString('base64url'));
      else reject(error);
    });
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, SCRYPT, onHash);
  });
}

function isSame(actual: Buffer, expected: Buffer): boolean {
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
