import { EXTENDED, FloatKind, PsonType } from './constants';
import { skipVarint } from './varint';

/** A map with more keys than this has no compact form: what a few bytes would be restored to is bounded. */
export const MAX_COMPACT_KEYS = 1024;

/** Keys that JavaScript moves in front of the others, whatever their place on the wire. */
const INDEX_KEY = /^(?:0|[1-9]\d{0,9})$/;
/** What a lone surrogate is sent as: two different keys may have become the same. */
const REPLACEMENT = '\u{fffd}';

/** Turns the tag of a map into that of an array: the types are 6 and 7. */
const ARRAY_BITS = (PsonType.ARRAY << 5) & ~(PsonType.MAP << 5);
/** Up to this size a loop is faster than a call of `copy`. In bytes. */
const SMALL = 24;

/** Whether a map with these keys, in this order, can be restored exactly from its values. */
export function areRestorable(keys: readonly string[]): boolean {
  if (keys.length === 0 || keys.length > MAX_COMPACT_KEYS) return false;
  return !keys.some((key) => INDEX_KEY.test(key) || key.includes(REPLACEMENT));
}

/**
 * The keys of an encoded map, in their order: what the values alone are told by (`protocol.md` section 6, compact
 * form). All of this works on what the encoder wrote, and only on that: nothing is checked again, and what counts is
 * what is sent, whatever object it was made of.
 */
export class MapKeys {
  /** The encoded keys, one behind the other, and the size of each. */
  readonly #keys: Buffer;
  readonly #sizes: readonly number[];

  private constructor(keys: readonly Buffer[]) {
    this.#keys = Buffer.concat(keys);
    this.#sizes = keys.map(({ length }) => length);
  }

  /** The keys of `value`; `undefined` if it is no map, or one that could not be restored. */
  static of(value: Buffer): MapKeys | undefined {
    const count = mapSize(value);
    if (count === 0 || count > MAX_COMPACT_KEYS) return undefined;
    const keys: Buffer[] = [];
    const texts: string[] = [];
    let position = skipHead(value, 0);
    for (let index = 0; index < count; index++) {
      const end = skipValue(value, position);
      keys.push(value.subarray(position, end));
      texts.push(value.toString('utf8', skipHead(value, position), end));
      position = skipValue(value, end);
    }
    return areRestorable(texts) ? new MapKeys(keys) : undefined;
  }

  /** The values of a map with exactly these keys in this order, as an encoded array; `undefined` for anything else. */
  valuesOf(value: Buffer): Buffer | undefined {
    if (mapSize(value) !== this.#sizes.length || value.length <= this.#keys.length) return undefined;
    const values = Buffer.allocUnsafe(value.length - this.#keys.length);
    let position = skipHead(value, 0);
    copy(value, 0, position, values, 0);
    values[0] = (values[0] ?? 0) | ARRAY_BITS;
    let written = position;
    let known = 0;
    for (const size of this.#sizes) {
      if (!isSame(this.#keys, known, value, position, size)) return undefined;
      known += size;
      const end = skipValue(value, position + size);
      copy(value, position + size, end, values, written);
      written += end - position - size;
      position = end;
    }
    return values;
  }
}

/** Number of pairs of an encoded map; 0 for anything else. */
function mapSize(value: Buffer): number {
  const tag = value[0] ?? 0;
  return tag >> 5 === PsonType.MAP ? headNumber(value, 0) : 0;
}

/** Keys tell their own size: where the bytes of one stand, it is that key and no longer one. */
function isSame(keys: Buffer, known: number, value: Buffer, position: number, size: number): boolean {
  for (let index = 0; index < size; index++) {
    if (value[position + index] !== keys[known + index]) return false;
  }
  return true;
}

function copy(source: Buffer, start: number, end: number, target: Buffer, to: number): void {
  if (end - start > SMALL) source.copy(target, to, start, end);
  else for (let from = start, at = to; from < end; from++, at++) target[at] = source[from] ?? 0;
}

/** The number in the tag at `position`, or in the varint behind it. */
function headNumber(bytes: Buffer, position: number): number {
  const inline = (bytes[position] ?? 0) & EXTENDED;
  if (inline < EXTENDED) return inline;
  let number = 0;
  let scale = 1;
  for (let at = position + 1; ; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    number += (byte & 0x7f) * scale;
    if (byte < 0x80) return number;
  }
}

function skipHead(bytes: Buffer, position: number): number {
  const isInline = ((bytes[position] ?? 0) & EXTENDED) < EXTENDED;
  return isInline ? position + 1 : skipVarint(bytes, position + 1);
}

/** The position behind the value that begins at `start`, and behind all that it holds. */
function skipValue(bytes: Buffer, start: number): number {
  let position = start;
  for (let values = 1; values > 0; values--) {
    const tag = bytes[position] ?? 0;
    const head = position;
    position = skipHead(bytes, head);
    switch (tag >> 5) {
      case PsonType.FLOAT:
        position += (tag & EXTENDED) === FloatKind.FLOAT32 ? 4 : 8;
        break;
      case PsonType.STRING:
      case PsonType.BYTES:
        position += headNumber(bytes, head);
        break;
      case PsonType.MAP:
        values += 2 * headNumber(bytes, head);
        break;
      case PsonType.ARRAY:
        values += headNumber(bytes, head);
        break;
      default: // Integers and discretes are all head.
    }
  }
  return position;
}
