import { PsonType } from '../constants';
import { CachedText, MAX_CACHE_MISSES, MAX_CACHED_LENGTH, MAX_CACHED_TEXTS } from '../cached-text';

/**
 * The encoder's keys in encoded form. Nothing is ever evicted one by one, only all at once, so that no chain of
 * guesses can keep more than {@link MAX_CACHED_TEXTS} entries alive.
 */
export class KeyCache {
  /** The entry of the empty key. Guesses for the first key of a top-level map are kept here. */
  readonly root = entryOf('', Buffer.alloc(0));
  readonly #entries = new Map([['', this.root]]);
  #misses = 0;

  /** The entry of a key; undefined for a long key, and for a new one while the cache is full. */
  find(key: string): CachedText | undefined {
    return this.#entries.get(key) ?? this.#add(key);
  }

  #add(key: string): CachedText | undefined {
    if (key.length >= MAX_CACHED_LENGTH) return undefined;
    if (this.#entries.size >= MAX_CACHED_TEXTS && !this.#startAnew()) return undefined;
    const text = Buffer.from(key);
    if (text.length >= MAX_CACHED_LENGTH) return undefined;
    const entry = entryOf(key, text);
    this.#entries.set(key, entry);
    return entry;
  }

  #startAnew(): boolean {
    if (++this.#misses < MAX_CACHE_MISSES) return false;
    this.#misses = 0;
    this.#entries.clear();
    this.#entries.set('', this.root);
    this.root.forget();
    return true;
  }
}

function entryOf(key: string, text: Buffer): CachedText {
  return new CachedText(key, Buffer.concat([Uint8Array.of((PsonType.STRING << 5) | text.length), text]));
}
