import { IotmpError } from '../../errors';

/** Most numbers that one aggregation holds at a time. */
export const MAX_HELD = 1_000_000;

/** Counts the numbers that the open span of an aggregation holds, so that no query takes all of the memory. */
export class HeldNumbers {
  readonly #limit: number;
  #count = 0;

  constructor(limit: number = MAX_HELD) {
    this.#limit = limit;
  }

  /** Notes one more. `IOTMP_ERR_TOO_LARGE` past the limit. */
  note(): void {
    if (++this.#count <= this.#limit) return;
    throw new IotmpError(
      'IOTMP_ERR_TOO_LARGE',
      `more than ${this.#limit} numbers in one span of time: ask for a shorter span or fewer members`,
    );
  }

  /** A new span: nothing is held. */
  reset(): void {
    this.#count = 0;
  }
}
