/** Pages that are read at once. Each is in memory until its messages are on their way. */
const MAX_READS = 4;

/**
 * Has listings of retained messages take turns. An owner has one listing at a time, its others wait in their order. The pages
 * of all listings are read a few at once, those of each owner in its turn.
 */
export class ListingQueue<Listing> {
  readonly #run: (listing: Listing) => Promise<void>;
  /** The listings of each owner. The first one runs. */
  readonly #lines = new Map<unknown, Set<Listing>>();
  /** Those that wait for their turn to read. */
  readonly #readers = new Set<() => void>();
  #reads = 0;

  /** @param run runs a listing to its end, which is soon after the listing was closed; it must not reject */
  constructor(run: (listing: Listing) => Promise<void>) {
    this.#run = run;
  }

  /** Number of listings that run or wait. */
  get size(): number {
    let size = 0;
    for (const line of this.#lines.values()) size += line.size;
    return size;
  }

  /** Adds a listing. Resolves when all listings of this owner are over, if this is the first of them. */
  async add(owner: unknown, listing: Listing): Promise<void> {
    const present = this.#lines.get(owner);
    const line = present ?? new Set();
    line.add(listing);
    if (present !== undefined) return;
    this.#lines.set(owner, line);
    for (const next of line) {
      await this.#run(next);
      line.delete(next);
    }
    this.#lines.delete(owner);
  }

  /** Takes out a listing that waits. One that runs ends by itself. */
  remove(owner: unknown, listing: Listing): void {
    const [running] = this.#lines.get(owner) ?? [];
    if (running !== listing) this.#lines.get(owner)?.delete(listing);
  }

  /** Reads a page when its turn comes. Rejects if the read does. */
  async read<Page>(readPage: () => Promise<Page>): Promise<Page> {
    if (this.#reads < MAX_READS) this.#reads++;
    else await new Promise<void>((resolve) => this.#readers.add(resolve));
    try {
      return await readPage();
    } finally {
      this.#passOn();
    }
  }

  /** The place of a reader goes to the next one, or is free. */
  #passOn(): void {
    const [next] = this.#readers;
    if (next === undefined) {
      this.#reads--;
      return;
    }
    this.#readers.delete(next);
    next();
  }
}
