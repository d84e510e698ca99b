import type { Value } from '../types';

/**
 * Things by the keys that lead to them through nested maps: `['loc', 'lat']` is another place than `['loc.lat']`. A place may
 * hold a thing and lead further, where a member is a number in one row and a map in another.
 */
export class KeyTree<T> {
  /** The thing at this place. */
  leaf: T | undefined;
  readonly #branches = new Map<string, KeyTree<T>>();

  /** Whether there is a place that a key leads to from here. */
  has(key: string): boolean {
    return this.#branches.has(key);
  }

  /** The place that a key leads to from here; made where there is none. */
  at(key: string): KeyTree<T> {
    let branch = this.#branches.get(key);
    if (branch === undefined) {
      branch = new KeyTree();
      this.#branches.set(key, branch);
    }
    return branch;
  }

  /**
   * The map of all things below here, nested as their keys say; places without any are left out. What is below a place that
   * holds a thing itself stands beside it, under a key such as `loc.lat`.
   */
  toMap(show: (thing: T) => Value): Record<string, Value> {
    // `fromEntries` makes plain own members, also of a key such as `__proto__`.
    return Object.fromEntries(this.#members(show));
  }

  *#members(show: (thing: T) => Value): Generator<[key: string, value: Value]> {
    for (const [key, branch] of this.#branches) {
      const below = branch.toMap(show);
      const members = Object.entries(below);
      if (branch.leaf === undefined) {
        if (members.length > 0) yield [key, below];
        continue;
      }
      for (const [name, value] of members) yield [`${key}.${name}`, value];
      yield [key, show(branch.leaf)];
    }
  }
}
