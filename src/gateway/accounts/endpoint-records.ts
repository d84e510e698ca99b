import { z } from 'zod';
import { conflict } from '../http/request-error';
import {
  anyValue,
  changed,
  Records,
  type Documents,
  type Keeper,
  type RecordChange,
} from '../../directory/records';

const endpointRecord = z.object({
  endpoint: z.string(),
  user: z.string(),
  type: z.string(),
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  project: z.array(z.string()),
  /** The configuration that a program gave. Its form depends on the type. */
  config: anyValue,
  /** In ms since 1970. */
  created: z.number(),
  modified: z.number(),
});

/** The record of an endpoint that was made over the API. */
export type EndpointRecord = z.infer<typeof endpointRecord>;

/** The settings of an endpoint that a program may give. */
export type EndpointDraft = RecordChange<
  Pick<EndpointRecord, 'type' | 'name' | 'description' | 'enabled' | 'project' | 'config'>
>;

/** The endpoints that were made over the API. An endpoint that a flow hosts needs no record. */
export class EndpointRecords {
  readonly #records: Records<EndpointRecord>;

  constructor(documents: Documents) {
    this.#records = new Records(documents, 'endpoint', endpointRecord);
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  get(user: string, endpoint: string): EndpointRecord | undefined {
    return this.#records.get({ user, id: endpoint });
  }

  list(user: string): readonly EndpointRecord[] {
    return this.#records.list(user);
  }

  /** @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT */
  async create(user: string, endpoint: string, draft: EndpointDraft): Promise<EndpointRecord> {
    if (this.get(user, endpoint) !== undefined) throw conflict(`endpoint ${endpoint} is already there`);
    const now = Date.now();
    const fresh: EndpointRecord = {
      endpoint,
      user,
      type: '',
      name: endpoint,
      description: '',
      enabled: true,
      project: [],
      config: {},
      created: now,
      modified: now,
    };
    return this.update(fresh, draft);
  }

  async update(record: EndpointRecord, draft: EndpointDraft): Promise<EndpointRecord> {
    const next = { ...changed<EndpointRecord>(record, draft), modified: Date.now() };
    await this.#records.put({ user: record.user, id: record.endpoint }, next);
    return next;
  }

  remove({ user, endpoint }: EndpointRecord): Promise<void> {
    return this.#records.remove({ user, id: endpoint });
  }

  async removeAll(user: string): Promise<void> {
    await Promise.all(this.list(user).map((record) => this.remove(record)));
  }
}
