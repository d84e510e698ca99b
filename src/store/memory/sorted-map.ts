import type { FullPage } from '../page';
import { compareTexts } from './text-order';

/** A map from texts whose entries can be listed in the order of their keys. */
export class SortedMap<T> {
  readonly #entries = new Map<string, T>();
  /** The keys in order; undefined since the keys changed. */
  #keys: readonly string[] | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: T): void {
    if (!this.#entries.has(key)) this.#keys = undefined;
    this.#entries.set(key, value);
  }

  delete(key: string): boolean {
    const was = this.#entries.delete(key);
    if (was) this.#keys = undefined;
    return was;
  }

  /** The values in the order of the keys, beginning after one. */
  *values(after = ''): Generator<T> {
    const keys = (this.#keys ??= [...this.#entries.keys()].sort(compareTexts));
    for (let index = indexAfter(keys, after); index < keys.length; index++) {
      const value = this.#entries.get(keys[index] ?? '');
      if (value !== undefined) yield value;
    }
  }
}

/** The part of a list that a page asks for. */
export function pageOf<T>(all: Iterable<T>, page: FullPage, searchOf: (entry: T) => string): T[] {
  const found: T[] = [];
  let skip = page.offset;
  for (const entry of all) {
    if (!searchOf(entry).includes(page.search) || skip-- > 0) continue;
    found.push(entry);
    if (found.length === page.limit) break;
  }
  return found;
}

function indexAfter(keys: readonly string[], key: string): number {
  if (key === '') return 0;
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTexts(keys[middle] ?? '', key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
