import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { ANONYMOUS_USER } from '../rights/device-request';
import type { DeviceId } from '../types';
import type { Authenticator } from './authenticator';
import { certificateIdentity } from './certificate-identity';
import type { Login } from './login';
import type { RotationMemory } from './spent-credentials';

/** Devices that are registered elsewhere than in the options of the server, such as over an API. */
export interface DeviceDirectory extends RotationMemory {
  /** Whether the device is registered here, so that nobody else decides about it. */
  has(id: DeviceId): boolean;
  /** Whether a device that is registered here may come in with this credential. Asked at each login: be quick. */
  admits(id: DeviceId, credential: string): boolean;
  /** Whether the device must not come in, whatever it has to show. False without it. */
  locksOut?(id: DeviceId): boolean;
  /**
   * Registers a device that is to be let in with what it has to show now. Resolves when that is kept.
   * `undefined` when there is no reason to register it.
   * @throws (as a rejection) when it cannot be registered; the login is refused then
   */
  enroll?(login: Login): Promise<void> | undefined;
  /** Resolves when it is settled whether a device that is being registered is kept. `undefined` without such a device. */
  enrolling?(id: DeviceId): Promise<void> | undefined;
}

/** The authenticator of devices that no directory has. */
export interface OtherAuthenticator extends Authenticator {
  /** Whether this authenticator knows the device: then no directory needs to be asked. */
  has?(id: DeviceId): boolean;
}

/**
 * Asks the directory that has the device. Another authenticator decides about devices that no directory has. While a
 * directory is not read, nobody gets in whom that authenticator does not know: the directory may lock the device out.
 */
export class DirectoryAuthenticator {
  readonly #directories: ReadonlySet<DeviceDirectory>;
  readonly #otherwise: OtherAuthenticator;
  readonly #isCertificateIdentity: boolean;

  /** @param isCertificateIdentity whether the certificate of a login says which device it is */
  constructor(
    directories: ReadonlySet<DeviceDirectory>,
    otherwise: OtherAuthenticator,
    isCertificateIdentity = false,
  ) {
    this.#directories = directories;
    this.#otherwise = otherwise;
    this.#isCertificateIdentity = isCertificateIdentity;
  }

  /**
   * Checks a login. The identity of the device is given: all devices that nobody knows belong to one user, whatever they
   * claim.
   * @throws IotmpError (also as a rejection) IOTMP_ERR_AUTH when the device is not let in, IOTMP_ERR_STORAGE while it is
   *   not known whether it may be, or what {@link DeviceDirectory.enroll} throws
   */
  authenticate(login: Login): DeviceId | Promise<DeviceId> {
    const { user, device, certificate } = login;
    const settled = this.#enrolling(login);
    if (settled !== undefined) return settled.then(() => this.authenticate(login));
    if (this.#isCertificateIdentity && certificate !== undefined && this.#isRead) {
      return this.#identify(login, certificateIdentity(certificate));
    }
    // Of what another authenticator than the table knows, nothing is known.
    const isInTable = this.#otherwise.has?.(login);
    const isKnown = isInTable !== false;
    if (!isKnown && !this.#isRead)
      throw new IotmpError('IOTMP_ERR_STORAGE', 'the directory of devices is not read');
    const id = { user, device };
    const directory = this.directoryOf(id);
    if (directory?.admits(id, login.credential) === true) return id;
    if (isInTable !== true && this.#locksOut(id)) throw refusal();
    const enrolled = isInTable === true ? undefined : this.#enroll(login);
    if (enrolled !== undefined) return enrolled.then(() => id);
    if (directory !== undefined) throw refusal();
    const verdict = this.#otherwise.authenticate(id, login.credential);
    const identity = isKnown ? id : { user: ANONYMOUS_USER, device };
    return verdict === undefined ? identity : verdict.then(() => identity);
  }

  /** The directory that a device is registered in. */
  directoryOf(id: DeviceId): DeviceDirectory | undefined {
    for (const directory of this.#directories) if (directory.has(id)) return directory;
    return undefined;
  }

  /** Whether all directories know their devices. */
  get #isRead(): boolean {
    for (const directory of this.#directories) if (directory.isRead?.() === false) return false;
    return true;
  }

  /** The word of the authority is enough, unless the device is locked out. */
  #identify({ user, device }: DeviceId, named: DeviceId): DeviceId {
    if (named.user !== user || named.device !== device) {
      throw refusal('the client certificate is that of another device');
    }
    if (this.#locksOut(named)) throw refusal();
    return named;
  }

  #locksOut(id: DeviceId): boolean {
    for (const directory of this.#directories) if (directory.locksOut?.(id) === true) return true;
    return false;
  }

  #enroll(login: Login): Promise<void> | undefined {
    for (const directory of this.#directories) {
      const enrolled = directory.enroll?.(login);
      if (enrolled !== undefined) return enrolled;
    }
    return undefined;
  }

  #enrolling(id: DeviceId): Promise<void> | undefined {
    for (const directory of this.#directories) {
      const settled = directory.enrolling?.(id);
      if (settled !== undefined) return settled;
    }
    return undefined;
  }
}

function refusal(text = 'wrong user, device or credential'): IotmpError {
  return new IotmpError('IOTMP_ERR_AUTH', text, { statusCode: ConnectCode.BAD_CREDENTIALS });
}
