import { types } from 'node:util';

/** Approximate memory of a value beside its content, and of one item or member of a list or map. */
const VALUE = 16;
const ITEM = 8;
const MEMBER = 32;
/** Deepest nesting that is looked at. Nothing deeper can be sent. */
const MAX_DEPTH = 64;

/**
 * Approximate memory of a value, in bytes. A character counts two bytes, and bytes count with all the memory that
 * they are a view of. The count stops soon past `enough`, so that no value takes long.
 */
export function memorySize(value: unknown, enough = Infinity, depth = 0): number {
  if (typeof value === 'string') return VALUE + 2 * value.length;
  if (typeof value !== 'object' || value === null) return VALUE;
  if (types.isUint8Array(value)) return VALUE + value.buffer.byteLength;
  if (depth >= MAX_DEPTH) return VALUE;
  return Array.isArray(value)
    ? sizeOfItems(value, enough, depth)
    : sizeOfMembers(value as Readonly<Record<string, unknown>>, enough, depth);
}

function sizeOfItems(items: readonly unknown[], enough: number, depth: number): number {
  let size = VALUE;
  for (const item of items) {
    size += ITEM + memorySize(item, enough - size, depth + 1);
    if (size > enough) break;
  }
  return size;
}

/** This is done with every sample: the members are looked at without a list of them. */
function sizeOfMembers(members: Readonly<Record<string, unknown>>, enough: number, depth: number): number {
  let size = VALUE;
  for (const name in members) {
    size += MEMBER + 2 * name.length + memorySize(members[name], enough - size, depth + 1);
    if (size > enough) break;
  }
  return size;
}
