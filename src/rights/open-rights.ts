import type { IotmpError } from '../errors';
import type { DeviceId } from '../types';
import { deviceKey } from '../util/device-key';
import { guarded, warnProcess } from '../util/guard';
import type { DeviceRequest } from './device-request';

/** A right that something open needs for as long as it is open. */
interface OpenRight {
  readonly request: DeviceRequest;
  readonly onLost: (error: IotmpError) => void;
}

/** Why a right is lost; `undefined` where it is not. */
export type Objection = (request: DeviceRequest) => IotmpError | undefined;

/** Number of comparisons of a right with a rule in one turn: about 10 ms. */
const PER_TURN = 20_000;

/**
 * The rights that open streams, subscriptions and waiting requests were given. When rules or traits change they are asked for
 * again, many of them in several turns; what a right is lost for ends.
 */
export class OpenRights {
  readonly #byDevice = new Map<string, Set<OpenRight>>();
  /** Ends an earlier review of all, which a new one makes superfluous. */
  #review = 0;

  /** Number of rights that are in use. */
  get size(): number {
    let size = 0;
    for (const rights of this.#byDevice.values()) size += rights.size;
    return size;
  }

  /** Notes a right until the returned function is called. */
  add(right: OpenRight): () => void {
    const key = deviceKey(right.request.who);
    const rights = this.#byDevice.get(key) ?? new Set();
    this.#byDevice.set(key, rights.add(right));
    return () => {
      if (rights.delete(right) && rights.size === 0 && this.#byDevice.get(key) === rights)
        this.#byDevice.delete(key);
    };
  }

  /** Asks again for the rights of one device. */
  reviewOf(id: DeviceId, objection: Objection): void {
    endLost([...(this.#byDevice.get(deviceKey(id)) ?? [])], objection);
  }

  /**
   * Asks again for all rights, with the time in mind that other work needs.
   * @param rules the number of rules that are asked for each
   */
  reviewAll(rules: number, objection: Objection): void {
    const review = ++this.#review;
    const all = [...this.#byDevice.values()].flatMap((rights) => [...rights]);
    const atOnce = Math.max(1, Math.floor(PER_TURN / (rules + 1)));
    const next = guarded('rights reviewed', warnProcess, (from: number) => {
      if (review !== this.#review) return;
      endLost(all.slice(from, from + atOnce), objection);
      if (from + atOnce < all.length) setImmediate(next, from + atOnce);
    });
    next(0);
  }
}

/** A right that was given back meanwhile is told of nothing: its owner has ended. */
function endLost(rights: readonly OpenRight[], objection: Objection): void {
  for (const { request, onLost } of rights) {
    const error = objection(request);
    if (error !== undefined) onLost(error);
  }
}
