import { z } from 'zod';
import type { PropertyOwner } from '../../store/property-store';
import type { Value } from '../../types';
import type { AssetRecord } from '../../directory/asset-records';
import { checkAllowed } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json, type BodyAnswer } from '../http/answer';
import { notFound } from '../http/request-error';
import { PLAIN, route, type PathParam, type Route } from '../route';
import {
  assetRow,
  documentOf,
  draftOf,
  GROUP,
  noProfiles,
  PRODUCT,
  PROJECT,
  settingsOf,
  STORAGE,
  TYPE,
  type AssetForm,
} from './asset-documents';
import { copyProperties } from './copy-properties';
import { selectRows, type ListRow } from './list';
import { assetId, listQuery, longText, projectNames, projects, shortText } from './schemas';

/** Routes of types, groups, products, projects and storages (`platform-api.md` section 1.6). */
export const assetRoutes: readonly Route[] = [
  ...[TYPE, GROUP, PRODUCT, STORAGE].flatMap((form) => [...routesOf(form), projectsRoute(form)]),
  ...routesOf(PROJECT),
  ...['/profile', '/profile/**rest'].flatMap(profileRoutes),
];

/** The routes of one kind. */
function routesOf(form: AssetForm): Route[] {
  const { kind, noun, change } = form;
  const path = pathOf(form);
  const one = `${path}/:${kind}`;
  const about = { ...PLAIN, asset: noun, id: kind } as const;
  const document = documentOf(form);
  return [
    route({
      ...PLAIN,
      method: 'GET',
      path,
      action: `List${noun}s`,
      asset: noun,
      summary: `List ${kind}s`,
      query: listQuery,
      answer: z.array(document),
      handle({ context, principal, param, query }) {
        const allowed = context.assets[kind]
          .list(param('user'))
          .filter(({ id }) => principal.permissions.allows(noun, id, `List${noun}s`));
        const rows = allowed.map((record) => assetRow(form, record));
        return json(selectRows(rows, kind, query));
      },
    }),
    route({
      ...PLAIN,
      method: 'POST',
      path,
      action: `Create${noun}`,
      asset: noun,
      summary: `Create a ${kind}`,
      body: draftOf(form),
      answer: document,
      async handle({ context, principal, param, body }) {
        const id = newId(form, principal, body[kind]);
        return json(await makeAsset(context, form, { user: param('user'), id }, settingsOf(form, body)));
      },
    }),
    route({
      ...about,
      method: 'GET',
      path: one,
      action: `Read${noun}Config`,
      summary: `Read a ${kind}`,
      answer: document,
      handle: ({ context, param }) => json(assetRow(form, knownAsset(context, form, param))),
    }),
    ...['PUT', 'PATCH'].map((method) =>
      route({
        ...about,
        method,
        path: one,
        action: `Update${noun}`,
        summary: `Change settings of a ${kind}; what is null goes`,
        body: change,
        answer: document,
        handle: async ({ context, param, body }) =>
          json(await changeAsset(context, form, param, settingsOf(form, body))),
      }),
    ),
    route({
      ...about,
      method: 'DELETE',
      path: one,
      action: `Delete${noun}`,
      summary: `Delete a ${kind}, and what belongs to it`,
      handle: ({ context, param }) => removeAsset(context, form, knownAsset(context, form, param)),
    }),
    ...cloneRoutes(form),
  ];
}

/** What programs of the platform ask for, and are told that it is not here. */
function profileRoutes(path: string): Route[] {
  return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
    route({
      ...PLAIN,
      asset: 'Product',
      id: 'product',
      method,
      path: `${pathOf(PRODUCT)}/:product${path}`,
      action: method === 'GET' ? 'ReadProductConfig' : 'UpdateProduct',
      summary: 'Not here: profiles of products are not run, and so not taken',
      hidden: true,
      handle({ context, param }) {
        knownAsset(context, PRODUCT, param);
        throw noProfiles();
      },
    }),
  );
}

function projectsRoute(form: AssetForm): Route {
  const { kind, noun } = form;
  return route({
    ...PLAIN,
    asset: noun,
    id: kind,
    method: 'PUT',
    path: `${pathOf(form)}/:${kind}/projects`,
    action: `Update${noun}Projects`,
    summary: `Set the projects of a ${kind}`,
    body: projects,
    async handle({ context, param, body }) {
      await changeAsset(context, form, param, { project: projectNames(param('user'), body) });
      return EMPTY;
    },
  });
}

function cloneRoutes(form: AssetForm): Route[] {
  const { kind, noun } = form;
  const about = { ...PLAIN, asset: noun, id: kind, path: `${pathOf(form)}/:${kind}/clone` } as const;
  return [
    route({
      ...about,
      method: 'GET',
      action: `Clone${noun}Config`,
      summary: `Read what a clone of a ${kind} would be made of`,
      answer: z.looseObject({}),
      handle({ context, param }) {
        const row = assetRow(form, knownAsset(context, form, param));
        return json(settingsOf(form, row));
      },
    }),
    route({
      ...about,
      method: 'POST',
      action: `Clone${noun}`,
      summary: `Create a ${kind} with the settings and properties of another one`,
      body: z.strictObject({
        [kind]: assetId,
        name: shortText.optional(),
        description: longText.optional(),
        enabled: z.boolean().optional(),
      }),
      answer: documentOf(form),
      async handle({ context, principal, param, body }) {
        const source = knownAsset(context, form, param);
        const key = { user: source.user, id: newId(form, principal, body[kind]) };
        const row = await makeAsset(context, form, key, { ...source.settings, ...settingsOf(form, body) });
        const { properties } = context.services;
        await copyProperties(properties, ownerOf(form, source), ownerOf(form, key));
        return json(row);
      },
    }),
  ];
}

/**
 * The asset that a path names.
 * @throws IotmpError IOTMP_ERR_NOT_FOUND
 */
export function knownAsset({ assets }: GatewayContext, { kind }: AssetForm, param: PathParam): AssetRecord {
  const found = assets[kind].get(param('user'), param(kind));
  if (found === undefined) throw notFound(`there is no ${kind} ${param(kind)}`);
  return found;
}

/** The owner of the properties of an asset. */
export function ownerOf(
  { kind }: AssetForm,
  { user, id }: Pick<AssetRecord, 'user' | 'id'>,
): PropertyOwner & Required<Pick<PropertyOwner, 'asset'>> {
  return { user, asset: { kind, id } };
}

/** The path that lists the assets of a kind. */
export function pathOf({ kind }: Pick<AssetForm, 'kind'>): string {
  return `/v1/users/:user/${kind}s`;
}

/**
 * Makes the type and the group of a device that is to be made, where they do not exist yet.
 * @throws IotmpError (as a rejection) IOTMP_ERR_FORBIDDEN when the token does not allow it; then nothing is made
 */
export async function makeTypeAndGroup(
  { context, principal }: { readonly context: GatewayContext; readonly principal: Principal },
  user: string,
  device: { readonly asset_type?: string | undefined; readonly asset_group?: string | undefined },
): Promise<void> {
  const wanted = [
    [TYPE, device.asset_type],
    [GROUP, device.asset_group],
  ] as const;
  const missing = wanted.flatMap(([form, id = '']) =>
    id === '' || context.assets[form.kind].get(user, id) !== undefined ? [] : [{ form, id }],
  );
  for (const { form, id } of missing) newId(form, principal, id);
  for (const { form, id } of missing) await makeAsset(context, form, { user, id }, {});
}

/** Removes all assets of a user with their properties and files, as when the user is removed. */
export async function removeAssets(context: GatewayContext, user: string): Promise<void> {
  for (const form of [STORAGE, PRODUCT, TYPE, GROUP, PROJECT]) {
    for (const record of context.assets[form.kind].list(user)) await removeAsset(context, form, record);
  }
}

async function makeAsset(
  context: GatewayContext,
  form: AssetForm,
  { user, id }: Pick<AssetRecord, 'user' | 'id'>,
  settings: Readonly<Record<string, Value>>,
): Promise<ListRow> {
  const record = await context.assets[form.kind].create(user, id, settings);
  return tell(context, form, record, 'create');
}

async function changeAsset(
  context: GatewayContext,
  form: AssetForm,
  param: PathParam,
  change: Readonly<Record<string, Value>>,
): Promise<ListRow> {
  const record = await context.assets[form.kind].update(knownAsset(context, form, param), change);
  return tell(context, form, record, 'update');
}

async function removeAsset(
  context: GatewayContext,
  form: AssetForm,
  record: AssetRecord,
): Promise<BodyAnswer> {
  const clear = (): Promise<unknown> => clearBelongings(context, form, record);
  // Before, so that nothing is left behind where this fails. After, as more may have been added meanwhile.
  await clear();
  await context.assets[form.kind].remove(record);
  await clear();
  tell(context, form, record, 'delete');
  return EMPTY;
}

/** Removes the properties of an asset and, of a storage, its files. */
async function clearBelongings(
  { files, services }: GatewayContext,
  form: AssetForm,
  { user, id }: AssetRecord,
): Promise<void> {
  if (form.kind === 'storage') await files.clear({ user, storage: id });
  await services.properties.clear(ownerOf(form, { user, id }));
}

/** The id of an asset that is to be made, if the token allows it. */
function newId({ noun }: AssetForm, principal: Principal, id: unknown): string {
  const checked = assetId.parse(id);
  checkAllowed(principal, noun, checked, `Create${noun}`);
  return checked;
}

function tell(context: GatewayContext, form: AssetForm, record: AssetRecord, what: string): ListRow {
  const row = assetRow(form, record);
  const event = `${form.kind}_${what}`;
  context.server.events.publish({ ...row, event, user: record.user, ts: Date.now() });
  return row;
}
