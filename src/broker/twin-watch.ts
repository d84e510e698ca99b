import { hostOf } from '../transport/host-and-port';
import type { DeviceId } from '../types';
import { BoundedMap } from '../util/bounded-map';
import type { Clock } from '../util/clock';
import { deviceKey } from '../util/device-key';
import { RateWindow } from '../util/rate-window';

/** Take-overs of one device that are no coincidence any more. */
const TAKE_OVERS = { limit: 4, windowMs: 300_000 };
/** Take-overs of one device after which its next logins wait for their answer, and for how long, in ms. */
const WAR = { limit: 3, windowMs: 10_000 };
const WAR_WAIT_MS = 1000;
/** Maximum number of devices that are watched. The device that was taken over longest ago is forgotten. */
const MAX_DEVICES = 1000;

interface Suspect {
  readonly rate: RateWindow;
  readonly war: RateWindow;
  /** Whether the warning was given and the take-overs go on. */
  told: boolean;
}

/**
 * Notices that two devices use one id: each takes the place of the other, for ever. There is one warning when it begins,
 * and another one only after it was quiet. Meanwhile their logins wait.
 */
export class TwinWatch {
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  readonly #suspects = new BoundedMap<string, Suspect>(MAX_DEVICES);
  #takeOvers = 0;

  /** @param warn takes the warning */
  constructor(clock: Clock, warn: (text: string) => void) {
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Number of connections that took the place of an older one of their device. */
  get takeOvers(): number {
    return this.#takeOvers;
  }

  /** A connection took the place of an older one of the same device. The addresses are those of the two. */
  note(id: DeviceId, older: string, newer: string): void {
    this.#takeOvers++;
    const key = deviceKey(id);
    const suspect = this.#suspects.get(key) ?? this.#newSuspect();
    this.#suspects.set(key, suspect);
    suspect.war.note();
    const isOften = suspect.rate.note();
    if (isOften && !suspect.told) this.#warn(warningOf(id, hostOf(older), hostOf(newer)));
    suspect.told = isOften;
  }

  /**
   * How long a login of a device has to wait for its answer, in ms. Two devices with one id take each other's place as fast
   * as they can log in, and each login costs the server far more than the waiting.
   */
  waitMs(id: DeviceId): number {
    return this.#suspects.get(deviceKey(id))?.war.isReached === true ? WAR_WAIT_MS : 0;
  }

  #newSuspect(): Suspect {
    const rate = new RateWindow(TAKE_OVERS, this.#clock);
    return { rate, war: new RateWindow(WAR, this.#clock), told: false };
  }
}

function warningOf({ user, device }: DeviceId, older: string, newer: string): string {
  const places = older === newer ? `from ${newer}` : `from ${older} and ${newer}`;
  const what = `${user}/${device}: its connections take the place of each other again and again, ${places}`;
  return `${what}. Two devices seem to use this id, or one restarts all the time`;
}
