import { ownerKey } from '../../store/owner-key';
import type { PropertyOwner } from '../../store/property-store';
import type { Value } from '../../types';
import { deviceKey } from '../../util/device-key';

/** Hears the new value of a property; `undefined` when it was removed. */
export type PropertyListener = (value: Value | undefined) => void;

/** One string for a property: names have no slash. */
export function propertyKey(owner: PropertyOwner, name: string): string {
  return `${deviceKey({ user: owner.user, device: ownerKey(owner) })}/${name}`;
}

/** Those who want to hear of single properties, by key, so that a change costs only them. */
export class PropertyWatchers {
  readonly #groups = new Map<string, Set<PropertyListener>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError hears of listeners that throw */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Number of properties that somebody watches. */
  get size(): number {
    return this.#groups.size;
  }

  /** Returns the function that ends it. */
  add(key: string, listener: PropertyListener): () => void {
    // Of one's own, so that the same function may watch twice.
    const own: PropertyListener = (value) => listener(value);
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group.add(own));
    return () => {
      if (group.delete(own) && group.size === 0) this.#groups.delete(key);
    };
  }

  tell(key: string, value: Value | undefined): void {
    for (const listener of [...(this.#groups.get(key) ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  clear(): void {
    this.#groups.clear();
  }
}
