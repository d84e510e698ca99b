import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DeviceId } from '../types';
import { deviceKey } from './device-key';

const SALT_BYTES = 16;
/** Of this process alone: nobody can have hashes of likely credentials ready. */
const PROCESS_SECRET = randomBytes(32).toString('base64url');

/** A salt that nobody else has. */
export function newSalt(): string {
  return randomBytes(SALT_BYTES).toString('base64url');
}

/**
 * The salt of a device in the settings. It stays the same while the process runs, so that a deploy finds by the hashes
 * which credentials are others.
 */
export function saltOf(id: DeviceId): string {
  const digest = hash('sha256', `${PROCESS_SECRET}${deviceKey(id)}`, 'buffer');
  return digest.toString('base64url', 0, SALT_BYTES);
}

/**
 * Hash of a device's credential with its salt. It is a fast one: after a restart all devices come back at once, and each
 * login needs it. So credentials should be long and random, as ones for machines can be.
 */
export function hashCredential(credential: string, salt = newSalt()): string {
  return `sha256$${salt}$${digestOf(salt, credential).toString('base64url')}`;
}

/** Whether a credential is the one that was hashed, in constant time. */
export function matchesCredential(credential: string, kept: string): boolean {
  const [kind, salt, expected] = kept.split('$');
  if (kind !== 'sha256' || salt === undefined || expected === undefined) return false;
  return isSameSecret(digestOf(salt, credential), Buffer.from(expected, 'base64url'));
}

/** Whether two secrets are the same, in constant time. */
export function isSameSecret(actual: Buffer, expected: Buffer): boolean {
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** In one call: an HMAC costs Node.js ten times as much, and a login is the dearest thing that a device can ask for. */
function digestOf(salt: string, credential: string): Buffer {
  return hash('sha256', salt + credential, 'buffer');
}
