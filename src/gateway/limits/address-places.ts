import { busy } from '../http/request-error';

/** Limits how many requests without a token are served at once, of each address. */
export class AddressPlaces {
  readonly #maxPlaces: number;
  readonly #taken = new Map<string, number>();

  /** @param maxPlaces of one address, or one IPv6 network */
  constructor(maxPlaces: number) {
    this.#maxPlaces = maxPlaces;
  }

  /**
   * Takes a place until the returned function is called; calling it again does nothing.
   * @throws IotmpError IOTMP_ERR_BUSY when all places of the address are taken
   */
  take(network: string): () => void {
    const taken = this.#taken.get(network) ?? 0;
    if (taken >= this.#maxPlaces) throw busy('too many requests without a token at once');
    this.#taken.set(network, taken + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#leave(network);
      isTaken = false;
    };
  }

  #leave(network: string): void {
    const left = (this.#taken.get(network) ?? 1) - 1;
    if (left > 0) this.#taken.set(network, left);
    else this.#taken.delete(network);
  }
}
