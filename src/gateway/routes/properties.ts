import { z } from 'zod';
import { snapshot } from '../../services/snapshot';
import type { Property, PropertyOwner } from '../../store/property-store';
import { isMap, type Value } from '../../types';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json } from '../http/answer';
import { badRequest, notFound } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { idOf, knownDevice } from './devices';
import { selectRows, type Row } from './list';
import { listQuery } from './schemas';

type Param = (name: string) => string;

/** Whose properties the routes of a path are about. */
interface Owned {
  readonly path: string;
  readonly asset: string;
  /** The name in the path of what permissions are for; without it, the property. */
  readonly id: string;
  /** What the names of actions end with. */
  readonly noun: string;
  readonly ownerOf: (context: GatewayContext, param: Param) => PropertyOwner;
}

/** What is not an attribute in the body of a property. */
const OWN_MEMBERS: readonly string[] = ['property', 'value', 'created', 'modified'];
/** Properties of one owner at most: the store allows no more. */
const MAX_PROPERTIES = 1000;
const MAX_AT_ONCE = 100;

const name = z.string().min(1).max(64);
const written = z.looseObject({ value: z.unknown() });
const named = written.extend({ property: name });
const propertyDocument = z.looseObject({
  property: z.string(),
  value: z.unknown(),
  created: z.number(),
  modified: z.number(),
});

/** Properties of devices and of users (`platform-api.md` section 4). */
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
];

function routesOf({ path, asset, id, noun, ownerOf }: Owned): Route[] {
  const about = { ...PLAIN, asset, id } as const;
  const one = `${path}/:property`;
  return [
    route({
      ...about,
      method: 'GET',
      path,
      action: `List${noun.replace(/y$/, 'ies')}`,
      summary: 'List properties',
      query: listQuery,
      answer: z.array(propertyDocument),
      async handle({ context, param, query }) {
        const found = await context.services.properties.list(ownerOf(context, param), {
          limit: MAX_PROPERTIES,
        });
        return json(selectRows(found.map(rowOf), 'property', query));
      },
    }),
    route({
      ...about,
      method: 'POST',
      path,
      action: `Set${noun}`,
      summary: 'Set a property, or several: they are made where they are new',
      body: z.union([named, z.array(named).max(MAX_AT_ONCE)]),
      async handle({ context, param, body }) {
        const owner = ownerOf(context, param);
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
  ];
}

async function read({ services }: GatewayContext, owner: PropertyOwner, property: string): Promise<Row> {
  const found = await services.properties.get(owner, property);
  if (found === undefined) throw noProperty(property);
  return rowOf(found);
}

/** Attributes stay as they are where the body has none. */
async function write(
  { services }: GatewayContext,
  owner: PropertyOwner,
  property: string,
  body: z.infer<typeof written>,
): Promise<void> {
  if (body.value === undefined) throw badRequest('body.value: is missing');
  const others = Object.entries(body).filter(([key]) => !OWN_MEMBERS.includes(key));
  const attributes = others.length === 0 ? undefined : mapOf(Object.fromEntries(others));
  await services.properties.set(owner, property, body.value, attributes);
}

function patchOf(body: unknown): Value {
  if (body === undefined) throw badRequest('body: is missing');
  const patch = snapshot(body);
  if (!isMap(patch)) return patch;
  const [[key, value] = ['', null], ...rest] = Object.entries(patch);
  return key === 'value' && rest.length === 0 ? value : patch;
}

function mapOf(value: unknown): Record<string, Value> {
  const map = snapshot(value);
  return isMap(map) ? map : {};
}

function rowOf({ name: property, value, attributes, created, modified }: Property): Row {
  return { ...attributes, property, value, created, modified };
}

function noProperty(property: string): Error {
  return notFound(`there is no property ${property}`);
}
