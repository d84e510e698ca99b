import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import type { DeviceId } from '../types';
import type { Authenticator } from './authenticator';

/** Devices that are registered elsewhere than in the options of the server, such as over an API. */
export interface DeviceDirectory {
  /** Whether the device is registered here, so that nobody else decides about it. */
  has(id: DeviceId): boolean;
  /** Whether a device that is registered here may come in with this credential. Asked at each login: be quick. */
  admits(id: DeviceId, credential: string): boolean;
}

/** Asks the directories that know a device, and for all others whoever is asked without them. */
export class Admission implements Authenticator {
  readonly #directories: ReadonlySet<DeviceDirectory>;
  readonly #otherwise: Authenticator;

  constructor(directories: ReadonlySet<DeviceDirectory>, otherwise: Authenticator) {
    this.#directories = directories;
    this.#otherwise = otherwise;
  }

  authenticate(id: DeviceId, credential: string): void | Promise<void> {
    const directory = this.directoryOf(id);
    if (directory === undefined) return this.#otherwise.authenticate(id, credential);
    if (directory.admits(id, credential)) return undefined;
    throw new IotmpError('IOTMP_ERR_AUTH', 'wrong user, device or credential', {
      statusCode: ConnectCode.BAD_CREDENTIALS,
    });
  }

  /** The directory that a device is registered in. */
  directoryOf(id: DeviceId): DeviceDirectory | undefined {
    for (const directory of this.#directories) if (directory.has(id)) return directory;
    return undefined;
  }
}
