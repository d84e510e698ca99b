/** What is still on its way to its end; a client that closes waits for all of it. */
export class LooseEnds {
  readonly #ends = new Set<Promise<unknown>>();

  /** Adds something that settles when it has ended. It is not expected to reject. */
  add(end: Promise<unknown>): void {
    this.#ends.add(end);
    void end.finally(() => this.#ends.delete(end));
  }

  /** Resolves when everything has ended, also what was added meanwhile. */
  async settled(): Promise<void> {
    while (this.#ends.size > 0) await Promise.allSettled(this.#ends);
  }
}
