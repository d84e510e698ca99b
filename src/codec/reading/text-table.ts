import { CachedText, MAX_CACHE_MISSES, MAX_CACHED_TEXTS } from '../cached-text';
import { PsonType } from '../constants';

const SLOTS = 8192;
/** A longer search than this would let a peer that makes texts collide slow down everybody. */
const MAX_PROBES = 8;
const HASH_FACTOR = 0x2c1b3c6d;

/**
 * The decoder's keys and short values by their encoded form: the same few texts come again and again, and making a
 * string from bytes costs several times as much as finding it here.
 *
 * A text is remembered when it comes a second time, so that timestamps and random names do not fill the table. Nothing
 * is evicted one by one, only all at once, so that no chain of guesses can keep more than {@link MAX_CACHED_TEXTS} alive.
 */
export class TextTable {
  /** The entry of the empty key. Guesses for the first key of a top-level map are kept here. */
  readonly root = new CachedText('', Uint8Array.of(PsonType.STRING << 5));
  readonly #slots = new Array<CachedText | undefined>(SLOTS).fill(undefined);
  readonly #seen = new Int32Array(SLOTS);
  #size = 0;
  #misses = 0;

  /** The entry of an encoded text: `length` bytes with the tag, all within the view. Undefined if it is not known. */
  find(view: DataView, position: number, length: number): CachedText | undefined {
    const hash = hashOf(view, position, length);
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const entry = this.#slots[(hash + probe) & (SLOTS - 1)];
      if (entry === undefined || isTextAt(view, entry, position, length)) return entry;
    }
    return undefined;
  }

  /** Remembers a text that {@link find} did not know, if it has come before. `bytes` is its encoded form. */
  offer(text: string, bytes: Uint8Array, view: DataView, position: number): void {
    const hash = hashOf(view, position, bytes.length);
    const slot = hash & (SLOTS - 1);
    if (this.#seen[slot] !== hash) {
      this.#seen[slot] = hash;
      return;
    }
    if (this.#size >= MAX_CACHED_TEXTS && !this.#startAnew()) return;
    this.#add(slot, new CachedText(text, Uint8Array.from(bytes)));
  }

  #add(slot: number, entry: CachedText): void {
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const index = (slot + probe) & (SLOTS - 1);
      if (this.#slots[index] !== undefined) continue;
      this.#slots[index] = entry;
      this.#size++;
      return;
    }
  }

  #startAnew(): boolean {
    if (++this.#misses < MAX_CACHE_MISSES) return false;
    this.#misses = 0;
    this.#size = 0;
    this.#slots.fill(undefined);
    this.root.forget();
    return true;
  }
}

/** Whether the `length` bytes at a position, all within the view, are this text. */
export function isTextAt(view: DataView, entry: CachedText, position: number, length: number): boolean {
  if (entry.length !== length) return false;
  if (length < 4) return bytesAt(view, position, length) === entry.last;
  // The last word first: texts like `sensor/1` and `sensor/2` differ at the end. Words overlap rather than run past it.
  return (
    view.getInt32(position + length - 4, true) === entry.last &&
    (length <= 4 || view.getInt32(position, true) === entry.word0) &&
    (length <= 8 || view.getInt32(position + 4, true) === entry.word1) &&
    (length <= 12 || view.getInt32(position + 8, true) === entry.word2) &&
    (length <= 16 || isRestAt(view, entry, position))
  );
}

function isRestAt(view: DataView, entry: CachedText, position: number): boolean {
  const bytes = entry.bytes;
  for (let index = 12; index < bytes.length - 4; index++) {
    if (view.getUint8(position + index) !== bytes[index]) return false;
  }
  return true;
}

function bytesAt(view: DataView, position: number, length: number): number {
  let word = 0;
  for (let index = 0; index < length; index++) word |= view.getUint8(position + index) << (8 * index);
  return word;
}

/** Takes whole words, and at the end the last four bytes again, which costs less than the bytes one by one. */
function hashOf(view: DataView, position: number, length: number): number {
  if (length < 4) return mixed(length, bytesAt(view, position, length));
  const last = position + length - 4;
  let hash = length;
  for (let at = position; at < last; at += 4) hash = mixed(hash, view.getInt32(at, true));
  return mixed(hash, view.getInt32(last, true));
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, HASH_FACTOR);
  return product ^ (product >>> 15);
}
