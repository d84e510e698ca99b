import type { Value } from '../../types';
import { bufferOver } from '../buffer-over';
import type { CachedText } from '../cached-text';
import { Discrete, EXTENDED, FloatKind, PsonType } from '../constants';
import type { Input } from './input';
import { shortestFloat } from './shortest-float';
import { isTextAt } from './text-table';
import { PROTO, readKey, readShortText, readText, rootKey } from './text-reader';
import { readNegative, readSize, readVarint } from './varint-reader';

/** Reads a value that is nested in nothing (`protocol.md` section 3). */
export function readRoot(input: Input): Value {
  return readValue(input, 0, rootKey);
}

/**
 * Reads any value. `depth` counts the maps and arrays around it; `near` is the key under which it is found, where the
 * guesses for its own keys are kept.
 */
function readValue(input: Input, depth: number, near: CachedText): Value {
  if (input.position >= input.end) throw input.error('truncated');
  const tag = input.view.getUint8(input.position++);
  const inline = tag & EXTENDED;
  switch (tag >> 5) {
    case PsonType.UNSIGNED:
      return inline < EXTENDED ? inline : readVarint(input);
    case PsonType.SIGNED:
      return inline < EXTENDED ? 0 - inline : readNegative(input);
    case PsonType.FLOAT:
      return readFloat(input, inline);
    case PsonType.DISCRETE:
      return readDiscrete(input, inline);
    case PsonType.STRING:
      return inline < EXTENDED ? readShortText(input, inline) : readText(input, readSize(input));
    case PsonType.BYTES:
      return readBytes(input, inline < EXTENDED ? inline : readSize(input));
    case PsonType.MAP:
      return readMap(input, inline < EXTENDED ? inline : readSize(input), depth, near);
    default:
      return readArray(input, inline < EXTENDED ? inline : readSize(input), depth, near);
  }
}

function readFloat(input: Input, inline: number): number {
  const { view, position, end } = input;
  if (inline === FloatKind.FLOAT32) {
    if (position + 4 > end) throw input.error('truncated', end);
    input.position = position + 4;
    const value = view.getFloat32(position, true);
    return input.shortestFloats ? shortestFloat(value) : value;
  }
  if (inline !== FloatKind.FLOAT64) return readExtendedFloat(input, inline);
  if (position + 8 > end) throw input.error('truncated', end);
  input.position = position + 8;
  return view.getFloat64(position, true);
}

/** Devices accept the long form of any small number, here the kind; so do we. */
function readExtendedFloat(input: Input, inline: number): number {
  const tagAt = input.position - 1;
  const kind = inline < EXTENDED ? inline : readVarint(input);
  if (kind !== FloatKind.FLOAT32 && kind !== FloatKind.FLOAT64) throw input.error('float kind', tagAt);
  return readFloat(input, kind);
}

function readDiscrete(input: Input, inline: number): boolean | null {
  const tagAt = input.position - 1;
  const number = inline < EXTENDED ? inline : readVarint(input);
  if (number === Discrete.TRUE) return true;
  if (number === Discrete.FALSE) return false;
  if (number === Discrete.NULL) return null;
  throw input.error('discrete', tagAt);
}

/** Bytes are a view of the message: nobody writes it again. */
function readBytes(input: Input, length: number): Buffer {
  if (length > input.remaining) throw input.error('truncated', input.end);
  const { buffer, byteOffset } = input.view;
  const start = byteOffset + input.position;
  input.position += length;
  return bufferOver(buffer, start, length);
}

/** The array grows as elements come: a count that lies, nested in others that do, would reserve megabytes. */
function readArray(input: Input, count: number, depth: number, near: CachedText): Value[] {
  checkContainer(input, count, depth);
  const values: Value[] = [];
  for (let index = 0; index < count; index++) values.push(readValue(input, depth + 1, near));
  return values;
}

function readMap(input: Input, count: number, depth: number, near: CachedText): Record<string, Value> {
  checkContainer(input, 2 * count, depth);
  const map: Record<string, Value> = {};
  let entry = near;
  let guess = near.child;
  for (let index = 0; index < count; index++) {
    const position = input.position;
    if (guess.length <= input.end - position && isTextAt(input.view, guess, position, guess.length)) {
      // The key is known to be the one that followed last time: no hash, no lookup, no new string.
      input.position = position + guess.length;
    } else {
      const key = readKey(input);
      if (typeof key === 'string') {
        define(map, key, readValue(input, depth + 1, rootKey));
        continue;
      }
      guess = key;
      if (index === 0) near.child = guess;
      else entry.next = guess;
    }
    entry = guess;
    guess = entry.next;
    map[entry.text] = readValue(input, depth + 1, entry);
  }
  return map;
}

function define(map: Record<string, Value>, key: string, value: Value): void {
  if (key === PROTO) {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    map[key] = value;
  }
}

/** Every element takes a byte at least: a count is believed only as far as there are bytes for it. */
function checkContainer(input: Input, minimum: number, depth: number): void {
  if (minimum > input.remaining) throw input.error('truncated', input.end);
  if (depth >= input.maxDepth) throw input.error('too deep', input.position - 1);
}
