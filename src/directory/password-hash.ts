import { scrypt } from 'node:crypto';
import { isSameSecret, newSalt } from '../util/credential-hash';
import { guarded } from '../util/guard';

const HASH_BYTES = 32;
/** Part of what is kept: with others, a hash needs another kind. */
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;

/** Hash of a person's password: slow on purpose. */
export async function hashPassword(password: string): Promise<string> {
  const salt = newSalt();
  return `scrypt$${salt}$${await slowHash(salt, password)}`;
}

/** Whether a password is the one that was hashed. Takes as long where there is no hash, so that nobody can tell. */
export async function matchesPassword(password: string, kept = ''): Promise<boolean> {
  const [kind, salt = '', expected = ''] = kept.split('$');
  const actual = await slowHash(salt, password);
  return kind === 'scrypt' && isSameSecret(Buffer.from(actual), Buffer.from(expected));
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
