/** Work by key that is done one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Keys of which something is under way. */
  get size(): number {
    return this.#last.size;
  }

  /** Does the work when all that was given before under this key is over. Gives and rejects what the work does. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = (): void => {
      if (this.#last.get(key) === end) this.#last.delete(key);
    };
    const end = turn.then(over, over);
    this.#last.set(key, end);
    return turn;
  }
}
