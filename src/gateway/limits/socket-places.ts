import { busy } from '../http/request-error';
import type { GatewayLimits } from './gateway-limits';

/** Who holds something open: a principal, as far as that matters here. */
export interface PlaceHolder {
  readonly token: string;
  /** Whether it may stay open: false once the token is revoked, or what it was opened for is gone. */
  counts(): boolean;
}

interface SocketPlace {
  readonly holder: PlaceHolder;
  readonly end: () => void;
}

/** What stays open: sockets, event streams, files and exports. Of each token and of all there are only so many. */
export class SocketPlaces {
  readonly #limits: GatewayLimits;
  readonly #taken = new Map<string, number>();
  readonly #places = new Set<SocketPlace>();

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  /** Those that are open. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Takes a place until the returned function is called.
   * @param end ends what has the place, when its holder counts no more
   * @throws IotmpError IOTMP_ERR_BUSY when all are taken
   */
  take(holder: PlaceHolder, end: () => void): () => void {
    const { token } = holder;
    const taken = this.#taken.get(token) ?? 0;
    if (taken >= this.#limits.socketsPerToken) throw busy('this token has too many sockets open');
    if (this.size >= this.#limits.maxSockets) throw busy('too many sockets are open');
    const place = { holder, end };
    this.#taken.set(token, taken + 1);
    this.#places.add(place);
    return () => this.#leave(place);
  }

  /** Ends what is open in the name of those who count no more. To be called when somebody may not. */
  review(): void {
    for (const { holder, end } of [...this.#places]) if (!holder.counts()) end();
  }

  #leave(place: SocketPlace): void {
    if (!this.#places.delete(place)) return;
    const { token } = place.holder;
    const left = (this.#taken.get(token) ?? 1) - 1;
    if (left > 0) this.#taken.set(token, left);
    else this.#taken.delete(token);
  }
}
