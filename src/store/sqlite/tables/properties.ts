import type { Value } from '../../../types';
import { checkName, checkPage, checkQuota, missing, unusable } from '../../checks';
import { mergePatch } from '../../merge-patch';
import { ownerKey } from '../../owner-key';
import type { FullPage, Page } from '../../page';
import type { Outcome, Property, PropertyOwner, PropertyStore } from '../../property-store';
import { fromStored, mapFromStored, toStored } from '../../stored-value';
import { bytesOf, numberOf, textOf, type Row, type Statements } from '../database/statements';
import type { Operation, OperationCaller, StoreContext, Table, TableParts } from './operations';

/** A property as it is kept. */
interface StoredProperty extends Omit<Property, 'value' | 'attributes'> {
  readonly value: Uint8Array;
  /** A map. */
  readonly attributes: Uint8Array;
}

interface OwnerArgs {
  readonly user: string;
  /** See {@link ownerKey}. */
  readonly owner: string;
}

interface PropertyArgs extends OwnerArgs {
  readonly name: string;
}

interface PropertySetArgs extends PropertyArgs {
  readonly value: Uint8Array;
  readonly attributes: Uint8Array | undefined;
  readonly at: number;
}

interface PropertyMergeArgs extends PropertyArgs {
  readonly patch: Uint8Array;
  readonly at: number;
}

/** What is done with properties in the thread of the database. */
export interface PropertyOperations {
  readonly reads: {
    readonly propertyGet: Operation<PropertyArgs, StoredProperty | undefined>;
    readonly propertyList: Operation<OwnerArgs & { readonly page: FullPage }, StoredProperty[]>;
  };
  readonly writes: {
    readonly propertySet: Operation<PropertySetArgs, Outcome>;
    readonly propertyMerge: Operation<PropertyMergeArgs, Uint8Array>;
    readonly propertyRemove: Operation<PropertyArgs, boolean>;
    readonly propertyClear: Operation<OwnerArgs, number>;
  };
}

/** Properties in SQLite: checks and encodes what goes to the thread of the database, and decodes what comes back. */
export class SqliteProperties implements PropertyStore {
  readonly #context: StoreContext<OperationCaller<PropertyOperations>>;

  constructor(context: StoreContext<OperationCaller<PropertyOperations>>) {
    this.#context = context;
  }

  async get(owner: PropertyOwner, name: string): Promise<Property | undefined> {
    const found = await this.#context.database.read('propertyGet', propertyArgs(owner, name));
    return found && this.#context.damaged.read(nameOf(owner, name), () => toProperty(found));
  }

  async set(
    owner: PropertyOwner,
    name: string,
    value: Value,
    attributes?: Readonly<Record<string, Value>>,
  ): Promise<Outcome> {
    const { database, limits, now } = this.#context;
    const args = {
      ...propertyArgs(owner, name),
      value: toStored(value, limits.valueSize),
      attributes: attributes && toStored(attributes, limits.valueSize),
      at: now(),
    };
    return database.write('propertySet', args, args.value.length + (args.attributes?.length ?? 0));
  }

  async merge(owner: PropertyOwner, name: string, patch: Value): Promise<Value> {
    const { database, limits, now } = this.#context;
    const bytes = toStored(patch, limits.valueSize);
    const args = { ...propertyArgs(owner, name), patch: bytes, at: now() };
    return fromStored(await database.write('propertyMerge', args, bytes.length));
  }

  async list(owner: PropertyOwner, page?: Page): Promise<Property[]> {
    const args = { ...ownerArgs(owner), page: checkPage(page) };
    const { database, damaged } = this.#context;
    const rows = await database.read('propertyList', args);
    return damaged.readAll(rows, ({ name }) => nameOf(owner, name), toProperty);
  }

  async remove(owner: PropertyOwner, name: string): Promise<boolean> {
    return this.#context.database.write('propertyRemove', propertyArgs(owner, name), 0);
  }

  async clear(owner: PropertyOwner): Promise<number> {
    return this.#context.database.write('propertyClear', ownerArgs(owner), 0);
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
  return { user, owner: ownerKey(owner) };
}

function propertyArgs(owner: PropertyOwner, name: string): PropertyArgs {
  return { ...ownerArgs(owner), name: checkName('a property', name) };
}

function nameOf(owner: PropertyOwner, name: string): string {
  return propertyName(owner.user, ownerKey(owner), name);
}

function propertyName(user: string, owner: string, name: string): string {
  return `the property ${name} of ${user}/${owner}`;
}

function toProperty(stored: StoredProperty): Property {
  return { ...stored, value: fromStored(stored.value), attributes: mapFromStored(stored.attributes) };
}

const OF_OWNER = 'FROM property WHERE user = ? AND device = ?';
const LIST = `SELECT * ${OF_OWNER} AND instr(search, ?) > 0 ORDER BY name LIMIT ? OFFSET ?`;
const PUT = `
  INSERT INTO property (user, device, name, search, created, modified, attributes, value)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE
  SET modified = excluded.modified, attributes = excluded.attributes, value = excluded.value`;
const NO_ATTRIBUTES = toStored({}, 1);

/** The table of properties in the thread of the database. */
export function propertyTable(table: TableParts): Table<PropertyOperations> {
  const { sql } = table;
  return {
    reads: {
      propertyGet: (args) => find(sql, args),
      propertyList: ({ user, owner, page: { search, limit, offset } }) =>
        sql.all(LIST, user, owner, search, limit, offset).map(fromRow),
    },
    writes: {
      propertySet: (args) => set(table, args),
      propertyMerge: (args) => merge(table, args),
      propertyRemove: ({ name, ...owner }) => remove(table, owner, name) > 0,
      propertyClear: (owner) => remove(table, owner),
    },
  };
}

function find(sql: Statements, { user, owner, name }: PropertyArgs): StoredProperty | undefined {
  const row = sql.get(`SELECT * ${OF_OWNER} AND name = ?`, user, owner, name);
  return row && fromRow(row);
}

/** A value that is there already is not written again: it would cost a write of the disk. */
function set({ sql, limits, counts }: TableParts, { user, owner, ...args }: PropertySetArgs): Outcome {
  const { name, value, at } = args;
  const before = find(sql, { user, owner, name });
  if (before === undefined) {
    checkQuota('properties', counts.of(OF_OWNER, user, owner), limits.propertiesPerOwner);
  }
  const attributes = args.attributes ?? before?.attributes ?? NO_ATTRIBUTES;
  if (before !== undefined && isSame(before.value, value) && isSame(before.attributes, attributes)) {
    return 'unchanged';
  }
  sql.run(PUT, user, owner, name, name.toLowerCase(), before?.created ?? at, at, attributes, value);
  if (before !== undefined) return 'updated';
  counts.change(1, OF_OWNER, user, owner);
  return 'created';
}

function merge(table: TableParts, args: PropertyMergeArgs): Uint8Array {
  const before = find(table.sql, args);
  if (before === undefined) throw missing('property', args.name);
  const { user, owner, name } = args;
  const value = table.damaged.read(propertyName(user, owner, name), () => fromStored(before.value));
  const merged = mergePatch(value, fromStored(args.patch));
  const bytes = toStored(merged, table.limits.valueSize);
  set(table, { ...args, value: bytes, attributes: undefined });
  return bytes;
}

/** Removes a property, or all of an owner; answers how many. */
function remove({ sql, counts }: TableParts, { user, owner }: OwnerArgs, name?: string): number {
  const removed =
    name === undefined
      ? sql.run(`DELETE ${OF_OWNER}`, user, owner)
      : sql.run(`DELETE ${OF_OWNER} AND name = ?`, user, owner, name);
  counts.change(-removed, OF_OWNER, user, owner);
  return removed;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function fromRow(row: Row): StoredProperty {
  return {
    name: textOf(row, 'name'),
    value: bytesOf(row, 'value'),
    attributes: bytesOf(row, 'attributes'),
    created: numberOf(row, 'created'),
    modified: numberOf(row, 'modified'),
  };
}
