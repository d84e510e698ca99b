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
  return Array.isArray(value) ? sizeOfItems(value, enough, depth) : sizeOfMembers(value, enough, depth);
}

function sizeOfItems(items: readonly unknown[], enough: number, depth: number): number {
  let size = VALUE;
  for (const item of items) {
    size += ITEM + memorySize(item, enough - size, depth + 1);
    if (size > enough) break;
  }
  return size;
}

function sizeOfMembers(members: object, enough: number, depth: number): number {
  let size = VALUE;
  for (const [name, member] of Object.entries(members)) {
    size += MEMBER + 2 * name.length + memorySize(member, enough - size, depth + 1);
    if (size > enough) break;
  }
  return size;
}
