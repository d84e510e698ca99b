import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { ANONYMOUS_USER } from '../rights/device-request';
import type { DeviceId } from '../types';
import { hashCredential, matchesCredential, newSalt } from '../util/credential-hash';
import { deviceKey } from '../util/device-key';
import { hashedDevice, type HashedDevice, type RegisteredDevice } from './registered-device';
import { SpentCredentials } from './spent-credentials';

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
  readonly #rows = new Map<string, HashedDevice>();
  /** What an unknown device is compared with: the hash of what nobody knows. */
  readonly #nobody = hashCredential(newSalt());
  readonly #anonymous: boolean;
  readonly #spent: SpentCredentials;
  /** The user of the first device: the one meant where a user is left out. */
  readonly firstUser: string | undefined;

  /**
   * @param anonymous lets in devices that are not registered; those that are still need their credential
   * @throws IotmpError IOTMP_ERR_CONFIG when a device is there twice, or its user is that of devices without registration
   */
  constructor(
    devices: readonly (RegisteredDevice | HashedDevice)[],
    anonymous = false,
    spent = new SpentCredentials(),
  ) {
    this.#spent = spent;
    this.#anonymous = anonymous;
    this.firstUser = devices[0]?.user;
    for (const entry of devices) {
      checkUser(entry.user);
      const key = deviceKey(entry);
      if (this.#rows.has(key)) {
        throw new IotmpError('IOTMP_ERR_CONFIG', `device ${entry.user}/${entry.device} is registered twice`);
      }
      this.#rows.set(key, hashedDevice(entry));
    }
  }

  /** Number of registered devices. */
  get size(): number {
    return this.#rows.size;
  }

  has(id: DeviceId): boolean {
    return this.#rows.has(deviceKey(id));
  }

  authenticate(id: DeviceId, credential: string): void {
    const row = this.#rows.get(deviceKey(id));
    const isFirst = matchesCredential(credential, row?.hash ?? this.#nobody);
    const isNext = matchesCredential(credential, row?.nextHash ?? this.#nobody);
    if (row === undefined ? this.#anonymous : this.#admits(row, credential, isFirst, isNext)) return;
    throw new IotmpError('IOTMP_ERR_AUTH', 'wrong user, device or credential', {
      statusCode: ConnectCode.BAD_CREDENTIALS,
    });
  }

  /** Whether a device that `before` let in would be let in by this table with the same credential, too. */
  keeps(id: DeviceId, before: DeviceTable): boolean {
    const now = this.#rows.get(deviceKey(id));
    const then = before.#rows.get(deviceKey(id));
    if (now === undefined) return this.#anonymous;
    return then !== undefined && before.#spent.inUse(then) === this.#spent.inUse(now);
  }

  #admits(row: HashedDevice, credential: string, isFirst: boolean, isNext: boolean): boolean {
    if (isNext) this.#spent.spend(row, credential);
    else if (!isFirst) return false;
    else if (row.nextHash === undefined) this.#spent.forget(row);
    else return !this.#spent.isSpent(row, credential);
    return true;
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
