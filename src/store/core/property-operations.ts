import { mergePatch } from '../merge-patch';
import type { Outcome } from '../property-store';
import type { StoreLimits } from '../store-limits';
import { fromStored, toStored } from '../stored-value';
import { checkQuota, missing } from './failures';
import type { Writes } from './operations';
import type { PropertyTable } from './tables';

const NO_ATTRIBUTES = toStored({}, 1);

/** What writes of properties do. */
export class PropertyOperations {
  readonly #table: PropertyTable;
  readonly #limits: StoreLimits;

  constructor(table: PropertyTable, limits: StoreLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  /** A value that is there already is not written again: it would cost a write of the disk. */
  set({ user, device, name, value, attributes, at }: Writes['propertySet']['args']): Outcome {
    const before = this.#table.get(user, device, name);
    if (before === undefined) {
      checkQuota('properties', this.#table.count(user, device), this.#limits.propertiesPerOwner);
    }
    const entry = {
      name,
      value,
      attributes: attributes ?? before?.attributes ?? NO_ATTRIBUTES,
      created: before?.created ?? at,
      modified: at,
    };
    if (before !== undefined && isSame(before.value, value) && isSame(before.attributes, entry.attributes)) {
      return 'unchanged';
    }
    this.#table.put(user, device, entry);
    return before === undefined ? 'created' : 'updated';
  }

  merge(args: Writes['propertyMerge']['args']): Uint8Array {
    const before = this.#table.get(args.user, args.device, args.name);
    if (before === undefined) throw missing('property', args.name);
    const merged = mergePatch(fromStored(before.value), fromStored(args.patch));
    const value = toStored(merged, this.#limits.valueSize);
    this.set({ ...args, value, attributes: undefined });
    return value;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
