import { EXTENDED, FloatKind, MAX_INTEGER, MIN_INTEGER, PsonType } from '../constants';
import { EncodeFailure } from './encode-failure';
import type { OutputBuffer } from './output-buffer';

const TWO_32 = 2 ** 32;
const TWO_63 = 2 ** 63;
const FLOAT32_TAG = (PsonType.FLOAT << 5) | FloatKind.FLOAT32;
const FLOAT64_TAG = (PsonType.FLOAT << 5) | FloatKind.FLOAT64;
const NAN_BITS = 0x7fc00000;

/**
 * Writes a number in its shortest form (`protocol.md` section 3). Needs an earlier {@link OutputBuffer.ensure}, as
 * everything in this file.
 */
export function writeNumber(out: OutputBuffer, value: number): void {
  if (value >= 0 && value <= 0x7fffffff && value === (value | 0)) {
    if (value === 0 && 1 / value < 0) writeFloat(out, value);
    else writeHead(out, PsonType.UNSIGNED, value);
  } else if (Number.isInteger(value) && value >= -TWO_63 && value < TWO_63) {
    writeLargeInteger(out, value);
  } else {
    writeFloat(out, value);
  }
}

/** Writes a tag with a number that is at most 31 bits: a small integer, a length or a count. */
export function writeHead(out: OutputBuffer, type: number, value: number): void {
  if (value < EXTENDED) {
    out.bytes[out.position++] = (type << 5) | value;
    return;
  }
  out.bytes[out.position++] = (type << 5) | EXTENDED;
  writeVarint(out, value);
}

/** Number of bytes that {@link writeHead} writes. */
export function headSize(value: number): number {
  let size = 1;
  // A call of varintSize makes texts 3 % slower.
  if (value >= EXTENDED) for (let rest = value; rest > 0; rest >>>= 7) size++;
  return size;
}

/** Writes a varint of at most 32 bits. */
export function writeVarint(out: OutputBuffer, value: number): void {
  const bytes = out.bytes;
  let position = out.position;
  let rest = value;
  while (rest > 0x7f) {
    bytes[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  out.position = position;
}

/** Writes an integer beyond what a number holds exactly; refuses one beyond 64 bits. */
export function writeBigInt(out: OutputBuffer, value: bigint): void {
  if (value < MIN_INTEGER || value > MAX_INTEGER) {
    throw new EncodeFailure('an integer beyond 64 bits cannot be sent');
  }
  const magnitude = value < 0n ? -value : value;
  writeMagnitude(out, value < 0n, Number(magnitude >> 32n), Number(BigInt.asUintN(32, magnitude)));
}

/** Exact for any integral double below 2^64: both halves are. */
function writeLargeInteger(out: OutputBuffer, value: number): void {
  const magnitude = Math.abs(value);
  const low = magnitude >>> 0;
  writeMagnitude(out, value < 0, (magnitude - low) / TWO_32, low);
}

function writeMagnitude(out: OutputBuffer, negative: boolean, high: number, low: number): void {
  const type = negative ? PsonType.SIGNED : PsonType.UNSIGNED;
  if (high === 0) {
    writeHead(out, type, low);
    return;
  }
  out.bytes[out.position++] = (type << 5) | EXTENDED;
  let upper = high;
  let lower = low;
  while (upper !== 0) {
    out.bytes[out.position++] = (lower & 0x7f) | 0x80;
    lower = ((lower >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
  }
  writeVarint(out, lower);
}

function writeFloat(out: OutputBuffer, value: number): void {
  const { view, position } = out;
  if (Math.fround(value) === value) {
    view.setUint8(position, FLOAT32_TAG);
    view.setFloat32(position + 1, value, true);
    out.position = position + 5;
  } else if (Number.isNaN(value)) {
    view.setUint8(position, FLOAT32_TAG);
    view.setUint32(position + 1, NAN_BITS, true);
    out.position = position + 5;
  } else {
    view.setUint8(position, FLOAT64_TAG);
    view.setFloat64(position + 1, value, true);
    out.position = position + 9;
  }
}
