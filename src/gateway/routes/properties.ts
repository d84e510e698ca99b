import { z } from 'zod';
import { snapshot } from '../../codec/snapshot';
import type { PropertyOwner } from '../../store/property-store';
import { isMap, type Value } from '../../types';
import { checkAllowed } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json } from '../http/answer';
import { badRequest, conflict, notFound } from '../http/request-error';
import { PLAIN, route, type PathParam, type Route } from '../route';
import { GROUP, PRODUCT, PROJECT, TYPE } from './asset-documents';
import { knownAsset, ownerOf as ownerOfAsset, pathOf } from './assets';
import { idOf, knownDevice } from '../devices/known-device';
import { propertyRow, propertyRows } from './inherited-properties';
import { selectRows, type ListRow } from './list';
import { listQuery, longText, shortText } from './schemas';

/** The owners of the properties at a path. */
interface Owned {
  readonly path: string;
  readonly asset: string;
  /** The capture that permissions are for: an asset with all its properties, or each property. */
  readonly id: string;
  /** The end of the names of actions. */
  readonly noun: string;
  readonly ownerOf: (context: GatewayContext, param: PathParam) => PropertyOwner;
}

/** Members in the body of a property that are no attributes. */
const OWN_MEMBERS: readonly string[] = ['property', 'value', 'inherited', 'created', 'modified'];
const MAX_AT_ONCE = 100;

const name = z.string().min(1).max(64);
const written = z.looseObject({ value: z.unknown() });
const named = written.extend({ property: name });
const propertyDocument = z.looseObject({
  property: z.string(),
  value: z.unknown(),
  created: z.number(),
  modified: z.number(),
  inherited: z
    .object({ asset: z.string(), id: z.string() })
    .optional()
    .describe('of what the device has the property, where it is not its own'),
});

/** Routes of the properties of devices, other assets and users (`platform-api.md` section 4). */
export const propertyRoutes: readonly Route[] = [
  ...routesOf({
    path: '/v3/users/:user/devices/:device/properties',
    asset: 'Device',
    id: 'device',
    noun: 'DeviceProperty',
    ownerOf: (context, param) => knownDevice(context, idOf(param)),
  }),
  ...routesOf({
    path: '/v1/users/:user/properties',
    asset: 'Property',
    id: 'property',
    noun: 'Property',
    ownerOf: (_context, param) => ({ user: param('user') }),
  }),
  ...[TYPE, GROUP, PRODUCT, PROJECT].flatMap((form) =>
    routesOf({
      path: `${pathOf(form)}/:${form.kind}/properties`,
      asset: form.noun,
      id: form.kind,
      noun: `${form.noun}Property`,
      ownerOf: (context, param) => ownerOfAsset(form, knownAsset(context, form, param)),
    }),
  ),
];

function routesOf(owned: Owned): Route[] {
  const { path, asset, id, noun, ownerOf } = owned;
  const about = { ...PLAIN, asset, id } as const;
  const ofAll = { ...PLAIN, asset, ...(id !== 'property' && { id }) };
  const listing = `List${noun.replace(/y$/, 'ies')}`;
  const one = `${path}/:property`;
  return [
    route({
      ...ofAll,
      method: 'GET',
      path,
      action: listing,
      summary: 'List properties',
      query: listQuery,
      answer: z.array(propertyDocument),
      async handle({ context, principal, param, query }) {
        const rows = await propertyRows(context, ownerOf(context, param));
        const allowed = rows.filter(({ property }) => isAllowed(owned, principal, property, listing));
        return json(selectRows(allowed, 'property', query));
      },
    }),
    route({
      ...ofAll,
      method: 'POST',
      path,
      action: `Set${noun}`,
      summary: 'Set a property, or several: they are made where they are new',
      body: z.union([named, z.array(named).max(MAX_AT_ONCE)]),
      async handle({ context, principal, param, body }) {
        const owner = ownerOf(context, param);
        for (const { property } of [body].flat()) checkMaySet(owned, principal, property);
        for (const each of [body].flat()) await write(context, owner, each.property, each);
        return Array.isArray(body) ? EMPTY : json(await read(context, owner, body.property));
      },
    }),
    route({
      ...about,
      method: 'GET',
      path: one,
      action: `Read${noun}`,
      summary: 'Read a property',
      answer: propertyDocument,
      handle: async ({ context, param }) =>
        json(await read(context, ownerOf(context, param), param('property'))),
    }),
    route({
      ...about,
      method: 'PUT',
      path: one,
      action: `Set${noun}`,
      summary: 'Set a property: it is made where it is new',
      body: written,
      answer: propertyDocument,
      async handle({ context, param, body }) {
        const owner = ownerOf(context, param);
        await write(context, owner, param('property'), body);
        return json(await read(context, owner, param('property')));
      },
    }),
    route({
      ...about,
      method: 'PATCH',
      path: one,
      action: `Set${noun}`,
      summary: 'Change parts of a value, by a JSON merge patch: the body, or its only member "value"',
      body: z.unknown(),
      answer: propertyDocument,
      async handle({ context, param, body }) {
        const owner = ownerOf(context, param);
        await context.services.properties.merge(owner, param('property'), patchOf(body));
        return json(await read(context, owner, param('property')));
      },
    }),
    route({
      ...about,
      method: 'DELETE',
      path: one,
      action: `Delete${noun}`,
      summary: 'Delete a property',
      async handle({ context, param }) {
        const owner = ownerOf(context, param);
        if (!(await context.services.properties.remove(owner, param('property')))) {
          throw noProperty(param('property'));
        }
        return EMPTY;
      },
    }),
    ...cloneRoutes(owned),
  ];
}

function cloneRoutes(owned: Owned): Route[] {
  const { path, asset, id, noun, ownerOf } = owned;
  const about = { ...PLAIN, asset, id, path: `${path}/:property/clone` } as const;
  return [
    route({
      ...about,
      method: 'GET',
      action: `Clone${noun}Config`,
      summary: 'Read what a clone of a property would be made of',
      answer: z.looseObject({ value: z.unknown() }),
      async handle({ context, param }) {
        const row = await read(context, ownerOf(context, param), param('property'));
        return json({ ...attributesOf(row), value: row.value });
      },
    }),
    route({
      ...about,
      method: 'POST',
      action: `Clone${noun}`,
      summary: 'Create a property with the value of another one',
      body: z.strictObject({
        property: name,
        name: shortText.optional(),
        description: longText.optional(),
        enabled: z.boolean().optional(),
      }),
      answer: propertyDocument,
      async handle({ context, principal, param, body: { property, ...attributes } }) {
        checkMaySet(owned, principal, property);
        const { properties } = context.services;
        const owner = ownerOf(context, param);
        const row = await read(context, owner, param('property'));
        if ((await properties.get(owner, property)) !== undefined) {
          throw conflict(`property ${property} is already there`);
        }
        await properties.set(owner, property, row.value, mapOf({ ...attributesOf(row), ...attributes }));
        return json(await read(context, owner, property));
      },
    }),
  ];
}

/** Whether a token allows an action on a property, where permissions are for each property. */
function isAllowed(
  { asset, id }: Owned,
  { permissions }: Principal,
  property: Value | undefined,
  action: string,
): boolean {
  if (id !== 'property') return true;
  return typeof property === 'string' && permissions.allows(asset, property, action);
}

function checkMaySet({ asset, id, noun }: Owned, principal: Principal, property: string): void {
  if (id === 'property') checkAllowed(principal, asset, property, `Set${noun}`);
}

async function read(context: GatewayContext, owner: PropertyOwner, property: string): Promise<ListRow> {
  const found = await propertyRow(context, owner, property);
  if (found === undefined) throw noProperty(property);
  return found;
}

/** Keeps the attributes where the body has none. */
async function write(
  { services }: GatewayContext,
  owner: PropertyOwner,
  property: string,
  body: z.infer<typeof written>,
): Promise<void> {
  if (body.value === undefined) throw badRequest('body.value: is missing');
  const others = attributesOf(body);
  const attributes = Object.keys(others).length === 0 ? undefined : mapOf(others);
  await services.properties.set(owner, property, body.value, attributes);
}

function patchOf(body: unknown): Value {
  if (body === undefined) throw badRequest('body: is missing');
  const patch = snapshot(body);
  if (!isMap(patch)) return patch;
  const [[key, value] = ['', null], ...rest] = Object.entries(patch);
  return key === 'value' && rest.length === 0 ? value : patch;
}

function attributesOf<T>(body: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !OWN_MEMBERS.includes(key)));
}

function mapOf(value: unknown): Record<string, Value> {
  const map = snapshot(value);
  return isMap(map) ? map : {};
}

function noProperty(property: string): Error {
  return notFound(`there is no property ${property}`);
}
