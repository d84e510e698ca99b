import { z } from 'zod';
import { IotmpError } from '../errors';
import type { Value } from '../types';
import { anyValue, Records, type Documents, type Keeper } from './records';

const assetRecord = z.object({
  id: z.string(),
  user: z.string(),
  /** The settings that a program gave: a name, a description and any other members. */
  settings: z.record(z.string(), anyValue),
  /** In ms since 1970. */
  created: z.number(),
  modified: z.number(),
});

/** The kinds of assets that are kept alike. Events and documents have the id of an asset under the name of its kind. */
export type AssetKind = 'type' | 'group' | 'product' | 'project' | 'storage';

/** The record of an asset. */
export type AssetRecord = z.infer<typeof assetRecord>;

/** Settings of an asset. In a change, null removes a member. */
export type AssetSettings = Readonly<Record<string, Value>>;

/** Maximum number of assets of one kind of a user. */
const MAX_ASSETS = 1000;

/** The assets of one kind. */
export class AssetRecords {
  readonly kind: AssetKind;
  readonly #records: Records<AssetRecord>;

  constructor(documents: Documents, kind: AssetKind) {
    this.kind = kind;
    this.#records = new Records(documents, kind, assetRecord);
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  get(user: string, id: string): AssetRecord | undefined {
    return this.#records.get({ user, id });
  }

  list(user: string): readonly AssetRecord[] {
    return this.#records.list(user);
  }

  /** @throws IotmpError IOTMP_ERR_CONFLICT when the id is taken, IOTMP_ERR_QUOTA when the user has too many assets */
  checkNew(user: string, id: string): void {
    if (this.get(user, id) !== undefined)
      throw new IotmpError('IOTMP_ERR_CONFLICT', `${this.kind} ${id} is already there`);
    if (this.#records.count(user) < MAX_ASSETS) return;
    throw new IotmpError('IOTMP_ERR_QUOTA', `this user has as many assets of kind ${this.kind} as allowed`);
  }

  /** @throws what {@link checkNew} throws (as a rejection) */
  async create(user: string, id: string, settings: AssetSettings): Promise<AssetRecord> {
    this.checkNew(user, id);
    const now = Date.now();
    const fresh: AssetRecord = { id, user, settings: {}, created: now, modified: now };
    return this.update(fresh, settings);
  }

  async update(record: AssetRecord, change: AssetSettings): Promise<AssetRecord> {
    const given = Object.entries({ ...record.settings, ...change }).filter(([, value]) => value !== null);
    const next = { ...record, settings: Object.fromEntries(given), modified: Date.now() };
    await this.#records.put(record, next);
    return next;
  }

  remove(record: AssetRecord): Promise<void> {
    return this.#records.remove(record);
  }
}

/** The assets of each kind. */
export type Assets = Readonly<Record<AssetKind, AssetRecords>>;

export function assetsIn(documents: Documents): Assets {
  return {
    type: new AssetRecords(documents, 'type'),
    group: new AssetRecords(documents, 'group'),
    product: new AssetRecords(documents, 'product'),
    project: new AssetRecords(documents, 'project'),
    storage: new AssetRecords(documents, 'storage'),
  };
}
