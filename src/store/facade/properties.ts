import type { Value } from '../../types';
import { checkName, checkPage, unusable } from '../checks';
import type { OwnerArgs } from '../core/operations';
import type { PropertyEntry } from '../core/tables';
import { ownerKey } from '../owner-key';
import type { Page } from '../page';
import type { Outcome, Property, PropertyOwner, PropertyStore } from '../property-store';
import { fromStored, mapFromStored, toStored } from '../stored-value';
import type { FacadeContext } from './facade-context';

/** Checks and encodes what goes to an engine, and decodes what comes back. */
export class Properties implements PropertyStore {
  readonly #context: FacadeContext;

  constructor(context: FacadeContext) {
    this.#context = context;
  }

  async get(owner: PropertyOwner, name: string): Promise<Property | undefined> {
    const args = { ...ownerArgs(owner), name: checkName('a property', name) };
    const entry = await this.#context.engine.read('propertyGet', args);
    return entry && toProperty(entry);
  }

  async set(
    owner: PropertyOwner,
    name: string,
    value: Value,
    attributes?: Readonly<Record<string, Value>>,
  ): Promise<Outcome> {
    const { engine, limits, now } = this.#context;
    const args = {
      ...ownerArgs(owner),
      name: checkName('a property', name),
      value: toStored(value, limits.valueSize),
      attributes: attributes && toStored(attributes, limits.valueSize),
      at: now(),
    };
    return engine.write('propertySet', args, args.value.length + (args.attributes?.length ?? 0));
  }

  async merge(owner: PropertyOwner, name: string, patch: Value): Promise<Value> {
    const { engine, limits, now } = this.#context;
    const args = {
      ...ownerArgs(owner),
      name: checkName('a property', name),
      patch: toStored(patch, limits.valueSize),
      at: now(),
    };
    return fromStored(await engine.write('propertyMerge', args, args.patch.length));
  }

  async list(owner: PropertyOwner, page?: Page): Promise<Property[]> {
    const args = { ...ownerArgs(owner), page: checkPage(page) };
    return (await this.#context.engine.read('propertyList', args)).map(toProperty);
  }

  async remove(owner: PropertyOwner, name: string): Promise<boolean> {
    const args = { ...ownerArgs(owner), name: checkName('a property', name) };
    return this.#context.engine.write('propertyRemove', args, 0);
  }

  async clear(owner: PropertyOwner): Promise<number> {
    return this.#context.engine.write('propertyClear', ownerArgs(owner), 0);
  }
}

function ownerArgs(owner: PropertyOwner): OwnerArgs {
  const { user, device, asset } = owner;
  checkName('a user', user);
  if (device !== undefined) checkName('a device', device);
  if (asset !== undefined) {
    checkName('an asset', asset.id);
    if (!/^[a-z_]{1,32}$/.test(asset.kind)) throw unusable('the kind of an asset has 1 to 32 small letters');
  }
  return { user, device: ownerKey(owner) };
}

function toProperty({ name, value, attributes, created, modified }: PropertyEntry): Property {
  return { name, value: fromStored(value), attributes: mapFromStored(attributes), created, modified };
}
