import { hashCredential, saltOf } from '../util/credential-hash';
import type { DeviceId } from '../types';

/** A device that may connect. */
export interface RegisteredDevice extends DeviceId {
  readonly credential: string;
}

/** A device that may connect, with the hash of its credential: it cannot be read from the memory of the server. */
export interface HashedDevice extends DeviceId {
  readonly hash: string;
}

/** The device with the hash of its credential. Within a process, the same credential of a device has the same hash. */
export function hashedDevice(entry: RegisteredDevice | HashedDevice): HashedDevice {
  if ('hash' in entry) return entry;
  const { user, device, credential } = entry;
  return { user, device, hash: hashCredential(credential, saltOf(entry)) };
}
