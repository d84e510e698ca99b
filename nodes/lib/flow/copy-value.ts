import { Buffer } from 'node:buffer';
import type { Value } from '../../../src';

/** A copy of a decoded value that a flow may change: others hold the original. */
export function copyValue(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copyValue);
  // Samples are mostly flat: a spread costs a fraction of a copy key by key.
  const copy: Record<string, Value> = { ...value };
  for (const key of Object.keys(copy)) {
    const item = copy[key];
    // Also `__proto__` is a plain property here: the spread has made it one of the copy's own.
    if (typeof item === 'object' && item !== null) copy[key] = copyValue(item);
  }
  return copy;
}
