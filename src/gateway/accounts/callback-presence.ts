import type { EventFeed } from '../../broker/event-feed';
import type { DeviceId } from '../../types';
import type { Clock, Timer } from '../../util/clock';
import { deviceKey } from '../../util/device-key';

/** A device that speaks HTTP, while it counts as connected. */
export interface PresentDevice {
  /** When it came, in ms since 1970. */
  readonly since: number;
  /** The address that its last callback came from. */
  readonly address: string;
}

interface Presence extends PresentDevice {
  readonly id: DeviceId;
  address: string;
  /** Of its last callback, on the scale of the clock. */
  heardAt: number;
  timeoutMs: number;
}

/** Shortest time between two looks for devices that have gone: one look finds many of them. */
const MIN_LOOK_MS = 1000;

/**
 * Devices that speak HTTP have no connection. They count as connected from a callback on, until there has been none for
 * their timeout (`platform-api.md` section 4). That they come and go is told as it is of others.
 */
export class CallbackPresence {
  readonly #clock: Clock;
  readonly #events: EventFeed;
  readonly #present = new Map<string, Presence>();
  /** Of the next look. There is one for as long as anybody is present. */
  #timer: Timer | undefined;
  #lookAt = Infinity;

  constructor(clock: Clock, events: EventFeed) {
    this.#clock = clock;
    this.#events = events;
  }

  /** The device, while it counts as connected. */
  get(id: DeviceId): PresentDevice | undefined {
    return this.#present.get(deviceKey(id));
  }

  /** A callback of a device has come. With a timeout of 0 it does not count as connected. */
  heard({ user, device }: DeviceId, address: string, timeoutMs: number): void {
    if (timeoutMs <= 0) return;
    const id = { user, device };
    const heardAt = this.#clock.now();
    const present = this.#present.get(deviceKey(id));
    if (present !== undefined) {
      Object.assign(present, { address, heardAt, timeoutMs });
    } else {
      this.#present.set(deviceKey(id), { id, since: Date.now(), address, heardAt, timeoutMs });
      this.#tell(id, { state: 'connected', address });
    }
    this.#lookBy(heardAt + timeoutMs);
  }

  /** The timeout of a device is another, also for the callback that it is present by. */
  limit(id: DeviceId, timeoutMs: number): void {
    const present = this.#present.get(deviceKey(id));
    if (present === undefined) return;
    present.timeoutMs = timeoutMs;
    this.#lookBy(present.heardAt + timeoutMs);
  }

  /** The device counts as connected no more, as when it is removed. */
  end(id: DeviceId, reason: string): void {
    const present = this.#present.get(deviceKey(id));
    if (present === undefined) return;
    this.#present.delete(deviceKey(id));
    this.#tell(present.id, { state: 'disconnected', address: present.address, reason });
  }

  close(): void {
    this.#timer?.cancel();
    this.#present.clear();
  }

  /** Looks at this time, or before. */
  #lookBy(at: number): void {
    if (at >= this.#lookAt) return;
    this.#timer?.cancel();
    const waitMs = Math.max(MIN_LOOK_MS, at - this.#clock.now());
    this.#lookAt = this.#clock.now() + waitMs;
    this.#timer = this.#clock.after(waitMs, () => this.#look());
  }

  #look(): void {
    this.#lookAt = Infinity;
    const now = this.#clock.now();
    let next = Infinity;
    for (const { id, heardAt, timeoutMs } of [...this.#present.values()]) {
      if (heardAt + timeoutMs <= now) this.end(id, 'there was no callback in time');
      else next = Math.min(next, heardAt + timeoutMs);
    }
    if (next < Infinity) this.#lookBy(next);
  }

  #tell({ user, device }: DeviceId, fields: Readonly<Record<string, string>>): void {
    this.#events.publish({ event: 'device_state_change', user, device, ts: Date.now(), ...fields });
  }
}
