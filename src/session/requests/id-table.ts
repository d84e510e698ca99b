/** What an {@link IdTable} holds; it belongs to one table at a time. */
export interface IdTableEntry<T> {
  readonly id: number;
  /** The next entry in the same slot, which the table sets. */
  next: T | undefined;
}

const FIRST_SIZE = 8;

/**
 * Entries by stream id, for ids that count up and are let go soon. They fall into the slots of a ring one after the
 * other, so that putting one in and taking it out moves nothing. (A Map keeps the places of what was deleted and
 * copies itself again and again: half of the cost of a call, as measured.)
 */
export class IdTable<T extends IdTableEntry<T>> {
  /** As many as a power of two, or none. */
  #slots: (T | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    let entry = this.#slots[id & (this.#slots.length - 1)];
    while (entry !== undefined && entry.id !== id) entry = entry.next;
    return entry;
  }

  /** Adds an entry under its id, which must be free. */
  add(entry: T): void {
    if (this.#size >= this.#slots.length) this.#grow();
    this.#put(entry);
    this.#size++;
  }

  /** Takes out the entry under an id. */
  take(id: number): T | undefined {
    const slot = id & (this.#slots.length - 1);
    let before: T | undefined;
    let entry = this.#slots[slot];
    while (entry !== undefined && entry.id !== id) {
      before = entry;
      entry = entry.next;
    }
    if (entry === undefined) return undefined;
    if (before === undefined) this.#slots[slot] = entry.next;
    else before.next = entry.next;
    entry.next = undefined;
    this.#size--;
    return entry;
  }

  /** All entries, in no particular order. */
  entries(): T[] {
    const found: T[] = [];
    for (const slot of this.#slots) {
      for (let entry = slot; entry !== undefined; entry = entry.next) found.push(entry);
    }
    return found;
  }

  #put(entry: T): void {
    const slot = entry.id & (this.#slots.length - 1);
    entry.next = this.#slots[slot];
    this.#slots[slot] = entry;
  }

  #grow(): void {
    const entries = this.entries();
    this.#slots = new Array<T | undefined>(Math.max(FIRST_SIZE, 2 * this.#slots.length)).fill(undefined);
    for (const entry of entries) this.#put(entry);
  }
}
