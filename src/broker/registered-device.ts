import { hashCredential, saltOf } from '../util/credential-hash';
import type { DeviceId } from '../types';

/** A device that may connect. */
export interface RegisteredDevice extends DeviceId {
  readonly credential: string;
  /** The credential that is to come: the first login with it makes it the only one. */
  readonly next?: string | undefined;
}

/** A device that may connect, with the hashes of its credentials: they cannot be read from the memory of the server. */
export interface HashedDevice extends DeviceId {
  readonly hash: string;
  /** That of {@link RegisteredDevice.next}. */
  readonly nextHash?: string;
}

/** The device with the hashes of its credentials. Within a process, the same credential of a device has the same hash. */
export function hashedDevice(entry: RegisteredDevice | HashedDevice): HashedDevice {
  if ('hash' in entry) return entry;
  const { user, device, credential, next = '' } = entry;
  const salt = saltOf(entry);
  const hashed = { user, device, hash: hashCredential(credential, salt) };
  return next === '' || next === credential ? hashed : { ...hashed, nextHash: hashCredential(next, salt) };
}
