import { guarded, warnProcess } from '../util/guard';

/** What is still on its way to its end. */
export class LooseEnds {
  readonly #ends = new Set<Promise<unknown>>();

  /** Adds something that settles when it has ended. It is not expected to reject. */
  add(end: Promise<unknown>): void {
    this.#ends.add(end);
    const forget = guarded('loose end', warnProcess, () => void this.#ends.delete(end));
    end.then(forget, forget);
  }

  /** Resolves when everything that is there now has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#ends);
  }
}
