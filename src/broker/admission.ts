import { ANONYMOUS_USER } from '../rights/device-request';
import type { DeviceId } from '../types';
import { DeviceTable, type Authenticator } from './authenticator';
import type { ClientCertificate } from './broker-options';
import type { ConnectedDevice } from './connected-device';
import { DirectoryAuthenticator, type DeviceDirectory } from './directory-authenticator';
import { LoginHold } from './login-hold';
import type { HashedDevice } from './registered-device';
import { SpentCredentials } from './spent-credentials';

/** The options that say who may connect, as in the options of the server. */
export interface AdmissionOptions {
  readonly devices: readonly HashedDevice[];
  readonly anonymous: boolean;
  readonly authenticator: Authenticator | undefined;
  readonly clientCertificate: ClientCertificate;
}

/** Who may connect: the devices of the options and of directories, or those that another authenticator lets in. */
export class Admission {
  /** Is waited for before anything is decided about a login. */
  readonly hold = new LoginHold();
  readonly #directories = new Set<DeviceDirectory>();
  readonly #spent = new SpentCredentials(this.#directories);
  #options: AdmissionOptions;
  #table: DeviceTable;
  #authenticator: DirectoryAuthenticator;

  /** @throws IotmpError IOTMP_ERR_CONFIG */
  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#table = new DeviceTable(options.devices, options.anonymous, this.#spent);
    this.#authenticator = this.#newAuthenticator();
  }

  /** Decides about logins; another one after {@link configure}. */
  get authenticator(): DirectoryAuthenticator {
    return this.#authenticator;
  }

  /** The user of the first device in the options. */
  get firstUser(): string | undefined {
    return this.#table.firstUser;
  }

  /** Whether devices that are not registered are let in. */
  get anonymous(): boolean {
    return this.#options.anonymous && this.#options.authenticator === undefined;
  }

  /** Whether a device is in the options. */
  isRegistered(id: DeviceId): boolean {
    return this.#table.has(id);
  }

  /** Whether a device would be let in with the right credential, as far as is known. */
  mayConnect(id: DeviceId): boolean {
    if (this.#directories.size > 0 && this.#authenticator.directoryOf(id) !== undefined) return true;
    if (this.#options.authenticator !== undefined || this.isRegistered(id)) return true;
    return this.anonymous && id.user === ANONYMOUS_USER;
  }

  /** Lets in the devices of a directory, too, until the returned function is called. */
  addDirectory(directory: DeviceDirectory): () => void {
    this.#directories.add(directory);
    return () => this.#directories.delete(directory);
  }

  /**
   * Takes over new options. Returns whether a device that is connected would be let in again.
   * @throws IotmpError IOTMP_ERR_CONFIG; then nothing has changed
   */
  configure(options: AdmissionOptions): (device: ConnectedDevice) => boolean {
    const before = this.#table;
    const table = new DeviceTable(options.devices, options.anonymous, this.#spent);
    const { authenticator } = options;
    const isSame = authenticator === this.#options.authenticator;
    this.#options = options;
    this.#table = table;
    this.#authenticator = this.#newAuthenticator();
    return (id) => {
      if (this.#authenticator.directoryOf(id) !== undefined) return true;
      // Its certificate let it in, and whoever asks for certificates has not changed: that is looked at elsewhere.
      if (options.clientCertificate === 'identity' && id.transport === 'tls') return true;
      // Of what another authenticator thinks nothing is known.
      return isSame && (authenticator !== undefined || table.keeps(id, before));
    };
  }

  #newAuthenticator(): DirectoryAuthenticator {
    const { authenticator, clientCertificate } = this.#options;
    const isIdentity = clientCertificate === 'identity';
    return new DirectoryAuthenticator(this.#directories, authenticator ?? this.#table, isIdentity);
  }
}
