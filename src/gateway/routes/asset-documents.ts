import { z } from 'zod';
import { snapshot } from '../../codec/snapshot';
import { isMap, type Value } from '../../types';
import type { AssetKind, AssetRecord } from '../../directory/asset-records';
import { badRequest, notOffered } from '../http/request-error';
import type { ListRow } from './list';
import { assetId, longText, optionalId, shortText } from './schemas';

/** The form of the assets of one kind. */
export interface AssetForm {
  readonly kind: AssetKind;
  /** The name of the kind in permissions and actions: `ListTypes`, `ReadTypeConfig`. */
  readonly noun: string;
  /** The known settings of a body. Other members are kept as they are. */
  readonly change: z.ZodObject;
  /** Values of settings that were not given. */
  readonly usual: Readonly<Record<string, Value>>;
}

const common = z.looseObject({
  name: shortText.optional(),
  description: longText.optional(),
  enabled: z.boolean().optional(),
});

const USUAL = { description: '', enabled: true } as const;

export const TYPE: AssetForm = {
  kind: 'type',
  noun: 'Type',
  change: common,
  usual: { ...USUAL, project: [] },
};

export const GROUP: AssetForm = { ...TYPE, kind: 'group', noun: 'Group' };

export const PRODUCT: AssetForm = {
  ...TYPE,
  kind: 'product',
  noun: 'Product',
  change: common.extend({ config: z.looseObject({}).optional() }),
};

export const PROJECT: AssetForm = { ...TYPE, kind: 'project', noun: 'Project', usual: USUAL };

export const STORAGE: AssetForm = {
  ...TYPE,
  kind: 'storage',
  noun: 'Storage',
  change: common.extend({
    public: z.boolean().optional().describe('false: files are only for those who have a token'),
    index: shortText.optional(),
    asset_type: optionalId.optional(),
    asset_group: optionalId.optional(),
    product: optionalId.optional(),
  }),
};

/** Members of a document that settings cannot replace. */
const OWN_MEMBERS: readonly string[] = ['user', 'created', 'modified', 'project'];

/** The schema of the document of an asset. */
export function documentOf({ kind }: AssetForm): z.ZodType {
  return z.looseObject({
    [kind]: z.string(),
    user: z.string(),
    name: z.string(),
    description: z.string(),
    enabled: z.boolean(),
    created: z.number(),
    modified: z.number(),
  });
}

/** The schema of a body that names a new asset. */
export function draftOf({ kind, change }: AssetForm): z.ZodObject {
  return change.extend({ [kind]: assetId });
}

/** Profiles of products would have the server do what it does not do yet. */
export function noProfiles(): Error {
  return notOffered('profiles of products are not run here');
}

/** The settings in a body, without the members that settings cannot replace. */
export function settingsOf({ kind }: AssetForm, body: unknown): Record<string, Value> {
  const settings = snapshot(body);
  if (!isMap(settings)) throw badRequest('body: a map of settings expected');
  if (kind === 'product' && 'profile' in settings) throw noProfiles();
  if (kind === 'storage' && settings.public === true) {
    throw notOffered('files are only for those who have a token: a storage cannot be public');
  }
  const given = Object.entries(settings).filter(([key]) => key !== kind && !OWN_MEMBERS.includes(key));
  return Object.fromEntries(given);
}

/** The document of an asset (`platform-api.md` section 1.2). Times are in ms since 1970. */
export function assetRow({ kind, usual }: AssetForm, record: AssetRecord): ListRow {
  const { id, user, settings, created, modified } = record;
  return { name: id, ...usual, ...settings, [kind]: id, user, created, modified };
}
