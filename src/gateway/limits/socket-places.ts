import { busy } from '../http/request-error';
import type { GatewayLimits } from './gateway-limits';

/** The holder of a place, such as a principal. */
export interface PlaceHolder {
  readonly token: string;
  /** Whether the place may be kept: false once the token is revoked, or the subject of the socket is gone. */
  counts(): boolean;
}

interface SocketPlace {
  readonly holder: PlaceHolder;
  readonly end: () => void;
}

/** Limits how many sockets, event streams, files and exports are open, of each token and of all tokens. */
export class SocketPlaces {
  readonly #limits: GatewayLimits;
  readonly #taken = new Map<string, number>();
  readonly #places = new Set<SocketPlace>();

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  /** Number of places that are taken. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Takes a place until the returned function is called.
   * @param end ends the socket when its holder may no longer keep the place
   * @throws IotmpError IOTMP_ERR_BUSY when all places are taken
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

  /** Ends the sockets whose holders may no longer keep their places. To be called when rights have changed. */
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
