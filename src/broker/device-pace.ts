import type { MessagePace } from '../session/wire/inbox';
import type { DeviceId } from '../types';
import type { Clock } from '../util/clock';
import { deviceKey } from '../util/device-key';
import { RateLimiter } from '../util/rate-limiter';

/** How many messages a second each device may send, over all its connections. */
export class DevicePace {
  readonly #clock: Clock;
  #perSecond = 0;
  #limiter: RateLimiter | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The pace of a device's messages; `undefined` for a limit of 0, which is none. */
  of(id: DeviceId, perSecond: number): MessagePace | undefined {
    if (perSecond === 0) return undefined;
    const limiter = this.#limiterOf(perSecond);
    const key = deviceKey(id);
    return { perSecond, waitMs: () => limiter.reserve(key, Infinity).waitMs };
  }

  /** A wait is found out after a message, which the burst does not count therefore. */
  #limiterOf(perSecond: number): RateLimiter {
    if (this.#limiter === undefined || this.#perSecond !== perSecond) {
      this.#limiter = new RateLimiter({ perSecond, burst: perSecond - 1 }, this.#clock);
      this.#perSecond = perSecond;
    }
    return this.#limiter;
  }
}
