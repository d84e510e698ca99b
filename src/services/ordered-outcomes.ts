/**
 * Work by key that is all under way at once, but whose outcomes are dealt with in the order in which it was begun: so a
 * store can take many writes together, and everybody still hears of them one after the other.
 */
export class OrderedOutcomes {
  readonly #last = new Map<string, Promise<void>>();

  /** Keys of which something is under way. */
  get size(): number {
    return this.#last.size;
  }

  /**
   * Notes work that has just begun. `finish` gets its result, after that of all before it under this key; it is not called
   * for work that failed. Rejects as the work does, or with what `finish` throws.
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

  /** Resolves when all that is under way now has been dealt with; `undefined` when there is nothing. */
  pending(key: string): Promise<void> | undefined {
    return this.#last.get(key);
  }
}
