/** Options of a {@link BoundedMap}. */
export interface BoundedMapOptions<V> {
  /** Whether a value must stay, although it is old. */
  readonly isPinned?: (value: V) => boolean;
  /** Is called with each value that gave way. */
  readonly onForget?: (value: V) => void;
}

/**
 * A map with a maximum number of entries. The entry that was set longest ago gives way to a new one. Pinned entries stay:
 * where all are pinned the map grows, and shrinks again with a later `set`.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #maxEntries: number;
  readonly #options: BoundedMapOptions<V>;

  constructor(maxEntries: number, options: BoundedMapOptions<V> = {}) {
    super();
    this.#maxEntries = maxEntries;
    this.#options = options;
  }

  /** Sets a value. Its entry becomes the newest, whether or not it was there before. */
  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#maxEntries) this.#forgetOldest(key);
    return this;
  }

  #forgetOldest(newest: K): void {
    const { isPinned, onForget } = this.#options;
    for (const [key, value] of this) {
      if (key === newest || this.size <= this.#maxEntries) return;
      if (isPinned?.(value) === true) continue;
      this.delete(key);
      onForget?.(value);
    }
  }
}
