import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import type { DeviceId } from '../types';
import { ANONYMOUS_USER } from '../rights/device-request';
import type { Authenticator } from './authenticator';

/** Devices that are registered elsewhere than in the options of the server, such as over an API. */
export interface DeviceDirectory {
  /** Whether the directory knows its devices yet. True without it. */
  isRead?(): boolean;
  /** Whether the device is registered here, so that nobody else decides about it. */
  has(id: DeviceId): boolean;
  /** Whether a device that is registered here may come in with this credential. Asked at each login: be quick. */
  admits(id: DeviceId, credential: string): boolean;
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
export class DirectoryAuthenticator implements Authenticator {
  readonly #directories: ReadonlySet<DeviceDirectory>;
  readonly #otherwise: OtherAuthenticator;

  constructor(directories: ReadonlySet<DeviceDirectory>, otherwise: OtherAuthenticator) {
    this.#directories = directories;
    this.#otherwise = otherwise;
  }

  authenticate(id: DeviceId, credential: string): void | Promise<void> {
    const directory = this.directoryOf(id);
    if (directory === undefined) {
      this.#checkRead(id);
      return this.#otherwise.authenticate(id, credential);
    }
    if (directory.admits(id, credential)) return undefined;
    throw new IotmpError('IOTMP_ERR_AUTH', 'wrong user, device or credential', {
      statusCode: ConnectCode.BAD_CREDENTIALS,
    });
  }

  #checkRead(id: DeviceId): void {
    if (this.#otherwise.has?.(id) !== false) return;
    for (const directory of this.#directories) {
      if (directory.isRead?.() === false) {
        throw new IotmpError('IOTMP_ERR_STORAGE', 'the directory of devices is not read');
      }
    }
  }

  /** The identity of a device that was let in. All devices that nobody knows belong to one user, whatever they claim. */
  identityOf(id: DeviceId): DeviceId {
    if (this.#otherwise.has?.(id) !== false || this.directoryOf(id) !== undefined) return id;
    return { user: ANONYMOUS_USER, device: id.device };
  }

  /** The directory that a device is registered in. */
  directoryOf(id: DeviceId): DeviceDirectory | undefined {
    for (const directory of this.#directories) if (directory.has(id)) return directory;
    return undefined;
  }
}

/** Holds logins while the rules of who may log in are being changed, so that no login is judged by the old ones. */
export class LoginHold {
  #holds = 0;
  #opening: PromiseWithResolvers<void> | undefined;

  /** Resolves when logins go on. Undefined while nothing holds them. */
  get opening(): Promise<void> | undefined {
    return this.#opening?.promise;
  }

  /** Holds logins until the returned function is called, and for as long as others hold them. */
  hold(): () => void {
    this.#holds++;
    this.#opening ??= Promise.withResolvers();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holds > 0) return;
      this.#opening?.resolve();
      this.#opening = undefined;
    };
  }
}
