import type { Login } from '../../broker/login';
import { IotmpError } from '../../errors';
import type { DeviceId } from '../../types';
import type { Clock } from '../../util/clock';
import { deviceKey } from '../../util/device-key';
import { RateLimiter } from '../../util/rate-limiter';
import type { DeviceAccounts, DeviceRecord } from '../device-accounts';
import type { Documents } from '../records';
import type { Revocations } from '../revocations';
import { AcceptanceWindows, type AcceptanceRequest, type AcceptanceWindow } from './acceptance-windows';
import { MAX_OF_PATTERN, NamePatterns, type NamePattern } from './name-patterns';

/** A device that was registered by a login. It never holds the credential. */
export interface ProvisionedDevice extends DeviceId {
  /** Address and port that it has logged in from. */
  readonly address: string;
  /** Id of the pattern that let it in; `undefined` where its login was awaited. */
  readonly pattern: string | undefined;
  /** Whether it took the place of a device that was registered. */
  readonly isReplacement: boolean;
}

/** What provisioning depends on. */
export interface ProvisioningPort {
  readonly documents: Documents;
  readonly revocations: Revocations;
  readonly devices: DeviceAccounts;
  readonly clock: Clock;
  /** The time, in ms since 1970. */
  readonly now: () => number;
  /** Whether the records are read: until then nothing is known of who is registered. */
  readonly isRead: () => boolean;
  /** Whether the settings of the server name the device: they alone decide about it. */
  readonly isInSettings: (id: DeviceId) => boolean;
  readonly onProvisioned: (device: ProvisionedDevice) => void;
}

/** Something that lets a login in whose device is not registered, or not with this credential. */
interface Permit {
  readonly pattern?: NamePattern | undefined;
  /** Undoes its use, where it could be used only once. */
  readonly giveBack?: (() => void) | undefined;
}

/** Devices of one user that are registered by their logins: each costs a write. */
const RATE = { perSecond: 5, burst: 50 };
/** Maximum number of devices of a user. */
const MAX_DEVICES = 10_000;
/** The type whose devices connect to the server. */
const CONNECTING = 'Generic';

/**
 * Registers devices by a login: the credential of the first login that is accepted is kept, as its hash, and is the
 * device's from then on. A login is accepted by a pattern of names, or as one that was awaited. Further ways, such as
 * products, are further permits.
 */
export class Provisioning {
  readonly patterns: NamePatterns;
  readonly #windows: AcceptanceWindows;
  readonly #port: ProvisioningPort;
  readonly #rate: RateLimiter;
  /** Devices whose record is being written. None of them is let in before that is done. */
  readonly #enrolling = new Map<string, Promise<void>>();

  constructor(port: ProvisioningPort) {
    this.#port = port;
    this.patterns = new NamePatterns(port.documents, port.revocations, port.now);
    this.#windows = new AcceptanceWindows(port.clock);
    this.#rate = new RateLimiter(RATE, port.clock);
  }

  /** The logins that are awaited, the oldest first. */
  get windows(): readonly AcceptanceWindow[] {
    return this.#windows.list;
  }

  /**
   * Accepts the next login of a device from an address within two minutes, whatever its credential is. A login with the
   * credential of the device that it is to replace is none of them.
   * @throws IotmpError IOTMP_ERR_CONFIG for a name or an address that no device can have, IOTMP_ERR_CONFLICT for a device
   *   that is registered (unless it is to be replaced) or must not connect, IOTMP_ERR_NOT_FOUND where there is none to
   *   replace, IOTMP_ERR_BUSY for one window too many, IOTMP_ERR_STORAGE while the directory is not read
   */
  acceptNextLogin(request: AcceptanceRequest): AcceptanceWindow {
    const { devices, isInSettings, isRead } = this.#port;
    const { device } = request;
    if (!isRead()) throw new IotmpError('IOTMP_ERR_STORAGE', 'the directory of devices is not read');
    if (isInSettings(request)) throw conflict(`device ${device} is registered in the server's settings`);
    if (devices.locksOut(request)) throw conflict(`device ${device} must not connect`);
    const record = devices.get(request);
    if (record !== undefined && request.replace !== true) throw conflict(`device ${device} is already there`);
    if (record === undefined && request.replace === true) {
      throw new IotmpError('IOTMP_ERR_NOT_FOUND', `there is no device ${device} to be replaced`);
    }
    if (record !== undefined && record.type !== CONNECTING) {
      throw conflict(`devices of type ${record.type} do not connect`);
    }
    return this.#windows.open(request);
  }

  /** Awaits a login no more. Returns whether it was awaited. */
  cancel(id: string): boolean {
    return this.#windows.cancel(id);
  }

  /** The devices that a pattern let in, and that are there. */
  devicesOf({ user, id }: NamePattern): readonly DeviceRecord[] {
    return this.#port.devices.list(user).filter(({ provisioning }) => provisioning === id);
  }

  /** Resolves when it is settled whether a device is kept that is being registered. */
  enrolling(id: DeviceId): Promise<void> | undefined {
    return this.#enrolling.size === 0 ? undefined : this.#enrolling.get(deviceKey(id));
  }

  /**
   * Registers the device of a login that is accepted; resolves when its record is kept. `undefined` for other logins.
   * @throws IotmpError (as a rejection) when the login would be accepted, but the device cannot be registered now
   */
  enroll(login: Login): Promise<void> | undefined {
    if (!this.#port.isRead()) return undefined;
    const permit = this.#permitOf(login);
    if (permit === undefined) return undefined;
    const kept = this.#accept(login, permit);
    const key = deviceKey(login);
    const settled = kept.then(
      () => void this.#enrolling.delete(key),
      () => {
        this.#enrolling.delete(key);
        permit.giveBack?.();
      },
    );
    this.#enrolling.set(key, settled);
    // Others wait, too, and none of them before the list is in order again.
    return settled.then(() => kept);
  }

  #permitOf(login: Login): Permit | undefined {
    const isRegistered = this.#port.devices.has(login);
    const giveBack = this.#windows.take(login, isRegistered);
    if (giveBack !== undefined) return { giveBack };
    const pattern = isRegistered ? undefined : this.patterns.find(login);
    return pattern && { pattern };
  }

  async #accept({ user, device, credential, address }: Login, { pattern }: Permit): Promise<void> {
    const { devices } = this.#port;
    const before = devices.get({ user, device });
    if (credential === '')
      throw new IotmpError('IOTMP_ERR_CONFLICT', 'a device without a credential is not registered');
    if (before === undefined) this.#checkRoom(user, pattern);
    if (this.#rate.take(user) > 0) {
      throw new IotmpError('IOTMP_ERR_RATE', 'too many devices are being registered: try again later');
    }
    if (before !== undefined) await devices.update(before, { credentials: credential });
    else {
      const draft = { user, device, type: CONNECTING, credentials: credential };
      await devices.create({ ...draft, provisioning: pattern?.id });
    }
    this.#port.onProvisioned({
      user,
      device,
      address,
      pattern: pattern?.id,
      isReplacement: before !== undefined,
    });
  }

  #checkRoom(user: string, pattern: NamePattern | undefined): void {
    if (this.#port.devices.count(user) >= MAX_DEVICES) {
      throw new IotmpError('IOTMP_ERR_QUOTA', 'this user has as many devices as allowed');
    }
    if (pattern === undefined) return;
    if (this.devicesOf(pattern).length + pattern.removed.length < MAX_OF_PATTERN) return;
    throw new IotmpError('IOTMP_ERR_QUOTA', `pattern ${pattern.id} has let in as many devices as allowed`);
  }
}

function conflict(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFLICT', text);
}
