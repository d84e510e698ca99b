import { isDeepStrictEqual } from 'node:util';

/**
 * Whether a decoded value is the same when it is encoded and decoded again: a whole number that came as a float past the
 * safe integers comes back as a BigInt.
 */
export function sameValue(one: unknown, other: unknown): boolean {
  if (typeof one === 'number' && typeof other === 'bigint')
    return Number.isInteger(one) && BigInt(one) === other;
  if (typeof one !== 'object' || one === null) return Object.is(one, other);
  if (typeof other !== 'object' || other === null) return false;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => sameValue(item, other[index]));
  }
  if (one instanceof Uint8Array || other instanceof Uint8Array) return isDeepStrictEqual(one, other);
  return (
    sameValue(Object.keys(one), Object.keys(other)) && sameValue(Object.values(one), Object.values(other))
  );
}
