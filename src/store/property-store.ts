import type { Value } from '../types';
import type { Page } from './page';

/** Something that a user has beside devices, and that has properties: such as a type of devices. */
export interface AssetKey {
  /** What it is, in small letters: `type`. */
  readonly kind: string;
  readonly id: string;
}

/** Whose properties: those of a device, those of an asset or, without either, the user's own. */
export interface PropertyOwner {
  readonly user: string;
  readonly device?: string;
  /** Counts where there is no device. */
  readonly asset?: AssetKey;
}

/** A named value that outlives the connection of its device (`protocol.md` section 7, services 1 and 2). */
export interface Property {
  readonly name: string;
  readonly value: Value;
  /** What else is known of it, such as a description or a form to edit it; empty unless set. */
  readonly attributes: Readonly<Record<string, Value>>;
  /** When it was made, in ms since 1970. */
  readonly created: number;
  /** When value or attributes last became others, in ms since 1970. */
  readonly modified: number;
}

/** What a write did. `unchanged` means that just this was there already. */
export type Outcome = 'created' | 'updated' | 'unchanged';

/** Properties of devices, assets and users. */
export interface PropertyStore {
  /** One property, or undefined. */
  get(owner: PropertyOwner, name: string): Promise<Property | undefined>;

  /**
   * Sets the value of a property, making it where it is new. `attributes`, if given, replace those that it has.
   * Rejects with `IOTMP_ERR_TOO_LARGE` for a value past the limit, `IOTMP_ERR_QUOTA` for one property too many.
   */
  set(
    owner: PropertyOwner,
    name: string,
    value: Value,
    attributes?: Readonly<Record<string, Value>>,
  ): Promise<Outcome>;

  /**
   * Changes parts of a value, as a JSON merge patch (RFC 7396) does: maps are merged, null removes a member, all else
   * replaces. Answers the new value. Rejects with `IOTMP_ERR_NOT_FOUND` where there is no such property.
   */
  merge(owner: PropertyOwner, name: string, patch: Value): Promise<Value>;

  /** The owner's properties in the order of their names. */
  list(owner: PropertyOwner, page?: Page): Promise<Property[]>;

  /** Removes one; answers whether it was there. */
  remove(owner: PropertyOwner, name: string): Promise<boolean>;

  /** Removes all of an owner; answers how many there were. */
  clear(owner: PropertyOwner): Promise<number>;
}
