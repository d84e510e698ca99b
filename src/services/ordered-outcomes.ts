/**
 * Runs work in parallel, and handles the results of each key in the order in which the work began. So a store can take
 * many writes together, and the events of the writes still come in order.
 */
export class OrderedOutcomes {
  readonly #last = new Map<string, Promise<void>>();

  /** Number of keys with pending work. */
  get size(): number {
    return this.#last.size;
  }

  /**
   * Adds work that has just begun. `finish` is called with the result after all earlier work of this key was finished.
   * It is not called for work that failed. Rejects if the work rejects, or if `finish` throws.
   */
  add<Result, Outcome>(
    key: string,
    work: Promise<Result>,
    finish: (result: Result) => Outcome,
  ): Promise<Outcome> {
    const before = this.#last.get(key);
    const turn = before === undefined ? work : Promise.allSettled([work, before]).then(() => work);
    const outcome = turn.then(finish);
    const over = (): void => {
      if (this.#last.get(key) === end) this.#last.delete(key);
    };
    const end = outcome.then(over, over);
    this.#last.set(key, end);
    return outcome;
  }

  /** Resolves when all work that is pending now is finished; `undefined` if no work is pending. */
  pending(key: string): Promise<void> | undefined {
    return this.#last.get(key);
  }
}
