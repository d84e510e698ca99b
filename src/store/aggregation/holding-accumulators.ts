import type { HeldNumbers } from './held-numbers';

/** The middle number, or the mean of the two in the middle. Exact: it holds all numbers. */
export class Median {
  readonly #held: HeldNumbers;
  readonly #values: number[] = [];

  constructor(held: HeldNumbers) {
    this.#held = held;
  }

  add(value: number): void {
    this.#held.note();
    this.#values.push(value);
  }

  result(): number | undefined {
    const sorted = Float64Array.from(this.#values).sort();
    const upper = sorted[sorted.length >> 1];
    const lower = sorted[(sorted.length - 1) >> 1];
    return upper === undefined || lower === undefined ? undefined : lower + (upper - lower) / 2;
  }
}

/** The number that came most often; of several, the smallest. Exact: it holds all different numbers. */
export class Mode {
  readonly #held: HeldNumbers;
  readonly #counts = new Map<number, number>();

  constructor(held: HeldNumbers) {
    this.#held = held;
  }

  add(value: number): void {
    const count = this.#counts.get(value);
    if (count === undefined) this.#held.note();
    this.#counts.set(value, (count ?? 0) + 1);
  }

  result(): number | undefined {
    let best: number | undefined;
    let most = 0;
    for (const [value, count] of this.#counts) {
      if (count < most || (count === most && best !== undefined && value > best)) continue;
      best = value;
      most = count;
    }
    return best;
  }
}
