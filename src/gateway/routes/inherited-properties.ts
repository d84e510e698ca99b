import type { Property, PropertyOwner } from '../../store/property-store';
import type { GatewayContext } from '../gateway-context';
import { GROUP, PRODUCT, TYPE } from './asset-documents';
import { ownerOf } from './assets';
import type { ListRow } from './list';

/** Maximum number of properties of one owner, as in the store. */
const MAX_PROPERTIES = 1000;

/**
 * The properties of an owner. A device inherits from its product, its type and its group, in this order: a later one
 * wins, and a property of the device itself wins over all (`platform-api.md` section 4).
 */
export async function propertyRows(context: GatewayContext, owner: PropertyOwner): Promise<ListRow[]> {
  const { properties } = context.services;
  const rows = new Map<string, ListRow>();
  for (const each of [...ancestorsOf(context, owner), owner]) {
    const found = await properties.list(each, { limit: MAX_PROPERTIES });
    for (const property of found) rows.set(property.name, rowOf(property, each, owner));
  }
  return [...rows.values()];
}

/** A single row of {@link propertyRows}. */
export async function propertyRow(
  context: GatewayContext,
  owner: PropertyOwner,
  name: string,
): Promise<ListRow | undefined> {
  const { properties } = context.services;
  for (const each of [owner, ...ancestorsOf(context, owner).reverse()]) {
    const found = await properties.get(each, name);
    if (found !== undefined) return rowOf(found, each, owner);
  }
  return undefined;
}

/** The owners that an owner inherits from. A later one wins. */
function ancestorsOf({ assets, devices }: GatewayContext, { user, device }: PropertyOwner): PropertyOwner[] {
  const record = device === undefined ? undefined : devices.get({ user, device });
  if (record === undefined) return [];
  const named = [
    [PRODUCT, record.product],
    [TYPE, record.asset_type],
    [GROUP, record.asset_group],
  ] as const;
  return named.flatMap(([form, id]) => {
    const asset = assets[form.kind].get(user, id);
    return asset === undefined ? [] : [ownerOf(form, asset)];
  });
}

function rowOf(
  { name: property, value, attributes, created, modified }: Property,
  { asset }: PropertyOwner,
  owner: PropertyOwner,
): ListRow {
  const row = { ...attributes, property, value, created, modified };
  if (asset === undefined || owner.asset !== undefined) return row;
  return { ...row, inherited: { asset: asset.kind, id: asset.id } };
}
