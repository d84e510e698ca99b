import type { AggregationFunction } from './aggregation-function';
import type { HeldNumbers } from './held-numbers';
import { Median, Mode } from './holding-accumulators';

/** Takes the finite numbers of one member in one span, and says what they come to. */
export interface Accumulator {
  add(value: number): void;
  /** Undefined where there is no answer: the deviation of a single number. Called once, after one number at least. */
  result(): number | undefined;
}

/** A new accumulator. `held` counts what it has to hold. */
export function makeAccumulator(name: AggregationFunction, held: HeldNumbers): Accumulator {
  switch (name) {
    case 'mean':
      return new Mean();
    case 'sum':
      return new Sum();
    case 'count':
      return new Count();
    case 'min':
      return new Extremes((min) => min);
    case 'max':
      return new Extremes((_, max) => max);
    case 'spread':
      return new Extremes((min, max) => max - min);
    case 'stddev':
      return new Deviation();
    case 'median':
      return new Median(held);
    case 'mode':
      return new Mode(held);
  }
}

/** Sums as Neumaier does: what each addition loses is kept, so that ten times 0.1 is 1. */
class Sum implements Accumulator {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  result(): number {
    const sum = this.#sum + this.#lost;
    return Number.isNaN(sum) ? this.#sum : sum;
  }
}

class Mean implements Accumulator {
  readonly #sum = new Sum();
  #count = 0;

  add(value: number): void {
    this.#sum.add(value);
    this.#count++;
  }

  result(): number {
    return this.#sum.result() / this.#count;
  }
}

class Count implements Accumulator {
  #count = 0;

  add(): void {
    this.#count++;
  }

  result(): number {
    return this.#count;
  }
}

class Extremes implements Accumulator {
  readonly #choose: (min: number, max: number) => number;
  #min = Infinity;
  #max = -Infinity;

  constructor(choose: (min: number, max: number) => number) {
    this.#choose = choose;
  }

  add(value: number): void {
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  result(): number {
    return this.#choose(this.#min, this.#max);
  }
}

/** The standard deviation of a sample (divided by n - 1), by Welford's method, which loses nothing to large means. */
class Deviation implements Accumulator {
  #count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.#count++;
    const distance = value - this.#mean;
    this.#mean += distance / this.#count;
    this.#squares += distance * (value - this.#mean);
  }

  result(): number | undefined {
    return this.#count < 2 ? undefined : Math.sqrt(this.#squares / (this.#count - 1));
  }
}
