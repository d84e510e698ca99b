import { MAX_INTEGER, MIN_INTEGER } from '../constants';
import type { Input } from './input';

/** Ten groups of seven bits hold 64 bits; a varint may be padded to that length. */
const MAX_BYTES = 10;
/** So many groups fit the bits of a small integer. */
const SMALL_SHIFT = 28;

/** Reads a varint of up to 64 bits (`protocol.md` section 1), as BigInt past `Number.MAX_SAFE_INTEGER`. */
export function readVarint(input: Input): number | bigint {
  const { view, end } = input;
  const start = input.position;
  let position = start;
  let value = 0;
  for (let shift = 0; shift < SMALL_SHIFT; shift += 7) {
    if (position >= end) throw input.error('truncated varint', end);
    const byte = view.getUint8(position++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      input.position = position;
      return value;
    }
  }
  return readLongVarint(input, start);
}

/**
 * Reads a length or a count. One that no number holds exactly is too large for any message: it is told as infinity,
 * which no remaining bytes can satisfy.
 */
export function readSize(input: Input): number {
  const size = readVarint(input);
  return typeof size === 'number' ? size : Infinity;
}

/** Reads the magnitude of a negative integer and returns the integer, down to -2^63. */
export function readNegative(input: Input): number | bigint {
  const start = input.position;
  const magnitude = readVarint(input);
  // 0 - 0 is 0, where -0 would be a float.
  if (typeof magnitude === 'number') return 0 - magnitude;
  if (-magnitude < MIN_INTEGER) throw input.error('integer', start);
  return -magnitude;
}

/**
 * Reads an integer of wire type 0 (`protocol.md` section 2): above 2^63-1 it is the two's complement of a negative
 * number.
 */
export function readFieldInteger(input: Input): number | bigint {
  const value = readVarint(input);
  if (typeof value === 'number') return value;
  const signed = BigInt.asIntN(64, value);
  return signed >= BigInt(Number.MIN_SAFE_INTEGER) && signed < 0n ? Number(signed) : signed;
}

function readLongVarint(input: Input, start: number): number | bigint {
  let value = 0n;
  for (let index = 0; index < MAX_BYTES; index++) {
    if (start + index >= input.end) throw input.error('truncated varint', input.end);
    const byte = input.view.getUint8(start + index);
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) {
      if (value > MAX_INTEGER) throw input.error('integer', start);
      input.position = start + index + 1;
      return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    }
  }
  throw input.error('varint', start);
}
