import { ownerKey } from '../../store/owner-key';
import type { PropertyOwner } from '../../store/property-store';
import type { Value } from '../../types';
import { userKey } from '../../util/device-key';

/** Is called with the new value of a property; `undefined` when the property was removed. */
export type PropertyListener = (value: Value | undefined) => void;

/** The key of a property in a map. Names of properties have no slash. */
export function propertyKey(owner: PropertyOwner, name: string): string {
  return `${userKey(owner.user, ownerKey(owner))}/${name}`;
}

/** Listeners of single properties, by key, so that a change costs only its own listeners. */
export class PropertyWatchers {
  readonly #groups = new Map<string, Set<PropertyListener>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError is called with what a listener throws */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Number of properties that have a listener. */
  get size(): number {
    return this.#groups.size;
  }

  /** Adds a listener. Returns the function that removes it. */
  add(key: string, listener: PropertyListener): () => void {
    // Another function, so that the same listener may be added twice.
    const own: PropertyListener = (value) => listener(value);
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group.add(own));
    return () => {
      if (group.delete(own) && group.size === 0) this.#groups.delete(key);
    };
  }

  /** Calls the listeners of a property. */
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
