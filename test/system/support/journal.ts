interface Waiter<T> {
  readonly check: (entry: T) => boolean;
  readonly found: (entry: T) => void;
  readonly fail: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** How a wait looks for its entry. */
export interface WaitOptions {
  /** Most time to wait, in ms. Default 15000. */
  readonly timeoutMs?: number;
  /** Look only at entries from this position on; see {@link Journal.position}. Default: at all of them. */
  readonly from?: number;
}

/** How many of the last entries an error shows. */
const SHOWN = 15;

/**
 * What a process or a connection has said so far, in order. Tests wait for an entry that has come or will come, so that
 * no test depends on being in time.
 */
export class Journal<T> {
  readonly #name: string;
  readonly #show: (entry: T) => string;
  readonly #entries: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #end: string | undefined;

  /** @param name what is recorded, for errors; @param show an entry as one line of an error */
  constructor(name: string, show: (entry: T) => string = (entry) => JSON.stringify(entry)) {
    this.#name = name;
    this.#show = show;
  }

  get entries(): readonly T[] {
    return this.#entries;
  }

  /** Where the next entry will be: what comes later can be told from what was there before. */
  get position(): number {
    return this.#entries.length;
  }

  add(entry: T): void {
    this.#entries.push(entry);
    for (const waiter of [...this.#waiters]) {
      if (waiter.check(entry)) this.#settle(waiter, () => waiter.found(entry));
    }
  }

  /** Nothing more will come: who waits hears why. */
  end(reason: string): void {
    this.#end ??= reason;
    for (const waiter of [...this.#waiters]) {
      this.#settle(waiter, () => waiter.fail(this.#error('ended', reason)));
    }
  }

  /** The first entry that meets the condition; rejects when none comes in time. */
  async waitFor(
    what: string,
    check: (entry: T) => boolean,
    { timeoutMs = 15_000, from = 0 }: WaitOptions = {},
  ): Promise<T> {
    for (const entry of this.#entries.slice(from)) if (check(entry)) return entry;
    if (this.#end !== undefined) throw this.#error(what, this.#end);
    return new Promise((found, fail) => {
      const waiter: Waiter<T> = {
        check,
        found,
        fail,
        timer: setTimeout(() => {
          this.#settle(waiter, () => fail(this.#error(what, `not seen within ${timeoutMs} ms`)));
        }, timeoutMs),
      };
      this.#waiters.add(waiter);
    });
  }

  /** The last entries, as an error shows them. */
  tail(): string {
    return this.#entries.slice(-SHOWN).map(this.#show).join('\n');
  }

  #settle(waiter: Waiter<T>, settle: () => void): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
    settle();
  }

  #error(what: string, reason: string): Error {
    return new Error(`${this.#name}: ${what}: ${reason}. Last of ${this.#entries.length}:\n${this.tail()}`);
  }
}
