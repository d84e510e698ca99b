import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { ANONYMOUS_USER } from '../rights/device-request';
import type { DeviceId } from '../types';
import { hashCredential, matchesCredential, newSalt } from '../util/credential-hash';
import { deviceKey } from '../util/device-key';
import { hashedDevice, type HashedDevice, type RegisteredDevice } from './registered-device';

/** Decides who is let in. */
export interface Authenticator {
  /**
   * Checks a login. A rejection refuses it.
   * @throws IotmpError IOTMP_ERR_AUTH with status 2 when the device is not let in
   */
  authenticate(id: DeviceId, credential: string): void | Promise<void>;
}

/**
 * The registered devices. Credentials are kept as salted hashes and compared in constant time; an unknown
 * device costs the same comparison as a known one.
 */
export class DeviceTable implements Authenticator {
  /** By device. Texts: of a thousand devices, they take a quarter of the memory that Buffers do. */
  readonly #hashes = new Map<string, string>();
  /** What an unknown device is compared with: the hash of what nobody knows. */
  readonly #nobody = hashCredential(newSalt());
  readonly #anonymous: boolean;
  /** The user of the first device: the one meant where a user is left out. */
  readonly firstUser: string | undefined;

  /**
   * @param anonymous lets in devices that are not registered; those that are still need their credential
   * @throws IotmpError IOTMP_ERR_CONFIG when a device is there twice, or its user is that of devices without registration
   */
  constructor(devices: readonly (RegisteredDevice | HashedDevice)[], anonymous = false) {
    this.#anonymous = anonymous;
    this.firstUser = devices[0]?.user;
    for (const entry of devices) {
      checkUser(entry.user);
      const key = deviceKey(entry);
      if (this.#hashes.has(key)) {
        throw new IotmpError('IOTMP_ERR_CONFIG', `device ${entry.user}/${entry.device} is registered twice`);
      }
      this.#hashes.set(key, hashedDevice(entry).hash);
    }
  }

  /** Number of registered devices. */
  get size(): number {
    return this.#hashes.size;
  }

  has(id: DeviceId): boolean {
    return this.#hashes.has(deviceKey(id));
  }

  authenticate(id: DeviceId, credential: string): void {
    const expected = this.#hashes.get(deviceKey(id));
    const matches = matchesCredential(credential, expected ?? this.#nobody);
    if (matches || (expected === undefined && this.#anonymous)) return;
    throw new IotmpError('IOTMP_ERR_AUTH', 'wrong user, device or credential', {
      statusCode: ConnectCode.BAD_CREDENTIALS,
    });
  }

  /** Whether a device that `before` let in would be let in by this table, too. */
  keeps(id: DeviceId, before: DeviceTable): boolean {
    const now = this.#hashes.get(deviceKey(id));
    const then = before.#hashes.get(deviceKey(id));
    if (now === undefined) return this.#anonymous;
    return then === now;
  }
}

/**
 * Checks the user of a device, or of an account, that is to be registered.
 * @throws IotmpError IOTMP_ERR_CONFIG
 */
export function checkUser(user: string): void {
  if (user !== ANONYMOUS_USER) return;
  throw new IotmpError('IOTMP_ERR_CONFIG', `the user ${user} is for devices that are not registered`);
}
