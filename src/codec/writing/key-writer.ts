import type { CachedText } from '../cached-text';
import { KeyCache } from './key-cache';
import type { OutputBuffer } from './output-buffer';
import { writeText } from './text-writer';

const keys = new KeyCache();

/** Where the guesses for the keys of a top-level map are kept. */
export const rootKey = keys.root;

/**
 * Writes a key that was not guessed. Returns its entry, which keeps the guesses for what follows; that of the empty key
 * stands in for keys that are not cached.
 */
export function writeKey(out: OutputBuffer, key: string): CachedText {
  const entry = keys.find(key);
  if (entry === undefined) {
    writeText(out, key);
    return rootKey;
  }
  writeCachedKey(out, entry);
  return entry;
}

/** Writes a key from its encoded form. The room for it is part of the slack that every value leaves. */
export function writeCachedKey(out: OutputBuffer, entry: CachedText): void {
  const { view, position } = out;
  const length = entry.length;
  // Words instead of bytes: three stores for a key of eleven letters. What runs past the key is written over.
  view.setInt32(position, entry.word0, true);
  if (length > 4) view.setInt32(position + 4, entry.word1, true);
  if (length > 8) view.setInt32(position + 8, entry.word2, true);
  if (length > 12) writeEnd(out, entry);
  out.position = position + length;
}

/** Apart, so that the common case stays small enough to be inlined. */
function writeEnd(out: OutputBuffer, entry: CachedText): void {
  if (entry.length > 16) out.bytes.set(entry.bytes, out.position);
  else out.view.setInt32(out.position + entry.length - 4, entry.last, true);
}
