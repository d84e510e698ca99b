/** Longest encoded text, tag included, that is worth a place in a cache: texts with a one-byte tag. */
export const MAX_CACHED_LENGTH = 31;
/** Maximum number of texts in a cache. */
export const MAX_CACHED_TEXTS = 2048;
/** Number of texts without a place after which a full cache starts anew: the peer that filled it may be gone. */
export const MAX_CACHE_MISSES = 65536;

/**
 * A short text together with its encoded form, tag included. The bytes are held as 32-bit words, so that comparing
 * or writing a key of eleven letters takes three operations instead of twelve.
 *
 * `next` and `child` are guesses: the key that followed this one in its map last time, and the first key of the map
 * that was its value. Readings of one device have the same keys in the same order, so the guess is mostly right and
 * saves the lookup by content. A wrong guess costs one comparison; guesses are always checked.
 */
export class CachedText {
  readonly text: string;
  /** Encoded length in bytes, tag included. */
  readonly length: number;
  /** The first twelve bytes, little-endian; zero where the text is shorter. */
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  /** The last four bytes; of a text shorter than that, all of it. */
  readonly last: number;
  /** All bytes, for the rare text longer than sixteen. */
  readonly bytes: Uint8Array;
  next: CachedText;
  child: CachedText;

  constructor(text: string, bytes: Uint8Array) {
    this.text = text;
    this.length = bytes.length;
    this.word0 = wordAt(bytes, 0);
    this.word1 = wordAt(bytes, 4);
    this.word2 = wordAt(bytes, 8);
    this.last = wordAt(bytes, Math.max(0, bytes.length - 4));
    this.bytes = bytes;
    this.next = this;
    this.child = this;
  }

  /** Drops the guesses, and with them all that they keep alive. */
  forget(): void {
    this.next = this;
    this.child = this;
  }
}

function wordAt(bytes: Uint8Array, offset: number): number {
  let word = 0;
  for (let index = 0; index < 4; index++) word |= (bytes[offset + index] ?? 0) << (8 * index);
  return word;
}
