import { types } from 'node:util';
import type { Value } from '../types';
import { decodeValue } from './reading/pson-decoder';
import { encodeValue } from './writing/pson-encoder';

/**
 * A copy of a value as a peer would receive it. Later changes of the original do not change the copy, and a value of
 * another class becomes a plain one. `undefined` becomes null.
 * @throws IotmpError IOTMP_ERR_ENCODE for a value that cannot be sent, IOTMP_ERR_TOO_LARGE past 16 MiB
 */
export function snapshot(value: unknown): Value {
  return decodeValue(encodeValue(value));
}

/** How much larger than its bytes the memory behind them may be. */
const SLACK = 2;

/**
 * A value that waits: it keeps no more than about its own size in memory. What was received may be a view of the whole
 * read that it came with.
 */
export function withoutRest(value: Value): Value;
export function withoutRest(value: Value | undefined): Value | undefined;
export function withoutRest(value: Value | undefined): Value | undefined {
  if (typeof value !== 'object' || value === null || !holdsRest(value)) return value;
  if (types.isUint8Array(value)) return ownCopy(value);
  if (Array.isArray(value)) return value.map((item) => withoutRest(item));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutRest(member)]));
}

/** A copy with memory of its own, outside of the pool that small buffers share. */
function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

/** Whether bytes within a value are a small part of the memory behind them. */
function holdsRest(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (types.isUint8Array(value)) return value.buffer.byteLength > SLACK * value.byteLength;
  return Object.values(value).some(holdsRest);
}
