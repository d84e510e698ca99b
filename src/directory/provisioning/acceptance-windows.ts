import { isIP } from 'node:net';
import { checkUser } from '../../broker/authenticator';
import { isAddressable } from '../../broker/device-name';
import type { Login } from '../../broker/login';
import { IotmpError } from '../../errors';
import { hostOf } from '../../transport/host-and-port';
import { networkOf } from '../../transport/network';
import type { DeviceId } from '../../types';
import type { Clock } from '../../util/clock';

/** A device whose next login is to be accepted. */
export interface AcceptanceRequest extends DeviceId {
  /** The address that it will log in from, with or without a port; of IPv6 its network counts. */
  readonly address: string;
  /** Whether the login takes the place of a device that is registered, whose credential ends with it. */
  readonly replace?: boolean | undefined;
}

/** The time in which the next login of a device from an address is accepted. */
export interface AcceptanceWindow extends DeviceId {
  readonly id: string;
  /** The address; of IPv6 its network. */
  readonly address: string;
  readonly replace: boolean;
  /** Its end, in ms since 1970. */
  readonly until: number;
}

interface OpenWindow extends AcceptanceWindow {
  /** Its end, on the clock's scale. */
  readonly endsAt: number;
}

/** Time in which a login is accepted, in ms: public firmware repeats every 5 to 60 s. */
const WINDOW_MS = 120_000;
/** Maximum number of windows that are open at once. */
const MAX_WINDOWS = 100;

/** The windows that are open. Each lets in one login, and is gone then. */
export class AcceptanceWindows {
  readonly #clock: Clock;
  readonly #windows = new Map<string, OpenWindow>();
  #opened = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The windows that are open, the oldest first. */
  get list(): readonly AcceptanceWindow[] {
    this.#forgetEnded();
    return [...this.#windows.values()].map(shown);
  }

  /**
   * Opens a window. One of the same device and address begins anew.
   * @throws IotmpError IOTMP_ERR_CONFIG for a name or an address that no device can have, IOTMP_ERR_BUSY for one too many
   */
  open({ user, device, address, replace = false }: AcceptanceRequest): AcceptanceWindow {
    checkUser(user);
    if (!isAddressable(user) || !isAddressable(device)) throw unusable('user or device id');
    const host = isIP(address) === 0 ? hostOf(address) : address;
    if (isIP(host) === 0) throw unusable('address');
    const network = networkOf(host);
    this.#forgetEnded();
    for (const { id, ...other } of this.#windows.values()) {
      if (isOf(other, { user, device }, network)) this.#windows.delete(id);
    }
    if (this.#windows.size >= MAX_WINDOWS) {
      throw new IotmpError('IOTMP_ERR_BUSY', `the next logins of ${MAX_WINDOWS} devices are awaited already`);
    }
    const id = String(++this.#opened);
    const times = { until: Date.now() + WINDOW_MS, endsAt: this.#clock.now() + WINDOW_MS };
    const window = { id, user, device, address: network, replace, ...times };
    this.#windows.set(id, window);
    return shown(window);
  }

  /** Closes a window before its time. Returns whether it was open. */
  cancel(id: string): boolean {
    this.#forgetEnded();
    return this.#windows.delete(id);
  }

  /**
   * Takes the window of a login: no other login finds it again.
   * @param isRegistered whether the device is registered already
   * @returns puts it back, for as long as it would have been open
   */
  take(login: Login, isRegistered: boolean): (() => void) | undefined {
    if (this.#windows.size === 0) return undefined;
    this.#forgetEnded();
    const network = networkOf(hostOf(login.address));
    for (const window of this.#windows.values()) {
      if (!isOf(window, login, network) || (isRegistered && !window.replace)) continue;
      this.#windows.delete(window.id);
      return () => void this.#windows.set(window.id, window);
    }
    return undefined;
  }

  #forgetEnded(): void {
    const now = this.#clock.now();
    for (const { id, endsAt } of this.#windows.values()) if (endsAt <= now) this.#windows.delete(id);
  }
}

function shown({ id, user, device, address, replace, until }: OpenWindow): AcceptanceWindow {
  return { id, user, device, address, replace, until };
}

function isOf(window: DeviceId & { address: string }, { user, device }: DeviceId, network: string): boolean {
  return window.user === user && window.device === device && window.address === network;
}

function unusable(what: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', `no device can log in with this ${what}`);
}
