/** Pseudo-random numbers (sfc32): the same ones for the same seed and position. */
export class Random {
  readonly #seed: number;
  #a = 0;
  #b = 0;
  #c = 0;
  #count = 1;

  /** @param seed a whole number, of which 32 bits count */
  constructor(seed: number) {
    this.#seed = seed | 0;
    this.moveTo(0);
  }

  /** Begins anew with the numbers of a position, 0..2^53: any of them can be had again without those before it. */
  moveTo(position: number): void {
    this.#a = this.#seed;
    this.#b = position | 0;
    this.#c = Math.floor(position / 2 ** 32) | 0;
    this.#count = 1;
    for (let round = 0; round < 12; round++) this.next();
  }

  /** A whole number of 32 bits, not negative. */
  next(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 up to, but without, the limit. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  /** One of the items, of which there must be one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
