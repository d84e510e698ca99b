import { isUtf8 } from 'node:buffer';
import type { CachedText } from '../cached-text';
import { EXTENDED, PsonType } from '../constants';
import type { Input } from './input';
import { TextTable } from './text-table';
import { readSize } from './varint-reader';

/** What stands in a decoded string for bytes that are not UTF-8, or for itself. */
const REPLACEMENT = '\uFFFD';
/** A map with this key needs care: it must become an own property, not the prototype. */
export const PROTO = '__proto__';

const table = new TextTable();

/** Where the guesses for the keys of a top-level map are kept. */
export const rootKey = table.root;

/**
 * Reads a string value of `length` bytes, its head being read already. Bytes that are not UTF-8 become U+FFFD and are
 * counted: firmware does send them (`protocol.md` section 3).
 */
export function readText(input: Input, length: number): string {
  const start = input.position;
  skip(input, length);
  return decodedValue(input, start);
}

/** The same for a string with a one-byte tag, which is worth a look into the table. */
export function readShortText(input: Input, length: number): string {
  const start = input.position;
  skip(input, length);
  const entry = table.find(input.view, start - 1, length + 1);
  if (entry !== undefined) return entry.text;
  const invalid = input.invalidTexts;
  const text = decodedValue(input, start);
  if (input.invalidTexts === invalid) offer(input, text, start - 1);
  return text;
}

/**
 * Reads a key that was not guessed: a string with its own head, which has to be UTF-8. Returns its entry, or its text
 * where it has none.
 */
export function readKey(input: Input): CachedText | string {
  const tagAt = input.position;
  if (tagAt >= input.end) throw input.error('truncated');
  const tag = input.view.getUint8(input.position++);
  if (tag >> 5 !== PsonType.STRING) throw input.error('key', tagAt);
  const inline = tag & EXTENDED;
  const length = inline < EXTENDED ? inline : readSize(input);
  const start = input.position;
  skip(input, length);
  if (inline === EXTENDED) return decodedKey(input, start);
  const entry = table.find(input.view, tagAt, length + 1);
  if (entry !== undefined) return entry;
  const key = decodedKey(input, start);
  offer(input, key, tagAt);
  return key;
}

function skip(input: Input, length: number): void {
  if (length > input.remaining) throw input.error('truncated', input.end);
  input.position += length;
}

/**
 * Offers the text that ends at the position to the table; its tag is at `tagAt`. Values and keys share the table: one that
 * needs care as a key stays out of it, so that what is found there needs no check.
 */
function offer(input: Input, text: string, tagAt: number): void {
  if (text === PROTO) return;
  table.offer(text, input.bytes.subarray(tagAt, input.position), input.view, tagAt);
}

function decodedValue(input: Input, start: number): string {
  const text = input.bytes.toString('utf8', start, input.position);
  if (text.includes(REPLACEMENT) && !isValid(input, start)) input.invalidTexts++;
  return text;
}

function decodedKey(input: Input, start: number): string {
  const text = input.bytes.toString('utf8', start, input.position);
  if (text.includes(REPLACEMENT) && !isValid(input, start)) throw input.error('utf-8', start);
  return text;
}

function isValid(input: Input, start: number): boolean {
  return isUtf8(input.bytes.subarray(start, input.position));
}
