import { busy } from '../http/request-error';
import type { GatewayLimits } from './gateway-limits';

/** Counts what stays open: sockets and event streams, of each token and of all. */
export class SocketPlaces {
  readonly #limits: GatewayLimits;
  readonly #taken = new Map<string, number>();
  #total = 0;

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  /** Those that are open. */
  get size(): number {
    return this.#total;
  }

  /**
   * Takes a place until the returned function is called.
   * @throws IotmpError IOTMP_ERR_BUSY when all are taken
   */
  take(token: string): () => void {
    const taken = this.#taken.get(token) ?? 0;
    if (taken >= this.#limits.socketsPerToken) throw busy('this token has too many sockets open');
    if (this.#total >= this.#limits.maxSockets) throw busy('too many sockets are open');
    this.#taken.set(token, taken + 1);
    this.#total++;
    let free = false;
    return () => {
      if (free) return;
      free = true;
      this.#leave(token);
    };
  }

  #leave(token: string): void {
    this.#total--;
    const left = (this.#taken.get(token) ?? 1) - 1;
    if (left > 0) this.#taken.set(token, left);
    else this.#taken.delete(token);
  }
}
