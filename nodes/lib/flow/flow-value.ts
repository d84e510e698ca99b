import { types } from 'node:util';
import { Buffer } from 'node:buffer';
import type { Value } from '../../../src';

/**
 * A value in the form that flows get, and may change: a copy, as others may hold the original. An integer past 2^53 is its
 * decimal text: JSON, persistent contexts and most nodes fail on a BigInt.
 */
export function flowValue(value: Value): Value;
export function flowValue(value: unknown): unknown;
export function flowValue(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (types.isUint8Array(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map((item: unknown) => flowValue(item));
  // Samples are mostly flat: a spread costs a fraction of a copy key by key.
  const copy: Record<string, unknown> = { ...value };
  for (const key of Object.keys(copy)) {
    const item = copy[key];
    // Also `__proto__` is a plain property here: the spread has made it one of the copy's own.
    if ((typeof item === 'object' && item !== null) || typeof item === 'bigint') copy[key] = flowValue(item);
  }
  return copy;
}

/** The same for a value that may be missing. */
export function flowValueOf(value: Value | undefined): Value | undefined {
  return value === undefined ? undefined : flowValue(value);
}
