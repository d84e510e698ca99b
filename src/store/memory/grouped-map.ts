import { SortedMap } from './sorted-map';

/** Sorted maps by group, such as the properties of each owner. Groups are in order, too; none stays empty. */
export class GroupedMap<T> {
  readonly #groups = new SortedMap<SortedMap<T>>();

  get(group: string, key: string): T | undefined {
    return this.#groups.get(group)?.get(key);
  }

  set(group: string, key: string, value: T): void {
    let map = this.#groups.get(group);
    if (map === undefined) {
      map = new SortedMap();
      this.#groups.set(group, map);
    }
    map.set(key, value);
  }

  delete(group: string, key: string): boolean {
    const map = this.#groups.get(group);
    if (map?.delete(key) !== true) return false;
    if (map.size === 0) this.#groups.delete(group);
    return true;
  }

  count(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /** Removes a group; answers how many were in it. */
  clear(group: string): number {
    const count = this.count(group);
    this.#groups.delete(group);
    return count;
  }

  /** The values of one group or, without one, of all. */
  *values(group?: string, after?: string): Generator<T> {
    if (group !== undefined) yield* this.#groups.get(group)?.values(after) ?? [];
    else for (const map of this.#groups.values()) yield* map.values();
  }
}
