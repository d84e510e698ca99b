import type { z } from 'zod';
import type { DocumentStore, StoredDocument } from '../../store/document-store';
import { MAX_PAGE } from '../../store/page';
import type { Value } from '../../types';

/** What a record is found by: ids are unique for each user. */
export interface RecordKey {
  readonly user: string;
  readonly id: string;
}

/** Whose the server's own records are; no user has this name. */
export const SERVER = '*';

/** Where records are kept. The store may still be opening: what is asked of it waits for that. */
export type Documents = Promise<DocumentStore>;

/** What is kept: a map. Members that are `undefined` are left out. */
export type RecordBody = Readonly<Record<string, Value | undefined>>;

/**
 * The documents of one collection, checked and held in memory, so that every request and every login finds them at once.
 * Changes are seen at once, too, and are taken back when they cannot be kept.
 */
export class Records<T extends RecordBody> {
  readonly #documents: Documents;
  readonly #collection: string;
  readonly #schema: z.ZodType<T>;
  readonly #onChange: () => void;
  readonly #users = new Map<string, Map<string, T>>();
  /** Writes go one after the other: the last change of a record is the one that stays. */
  #writes: Promise<void> = Promise.resolve();

  /** @param onChange hears that a record has become another, or is gone */
  constructor(
    documents: Documents,
    collection: string,
    schema: z.ZodType<T>,
    onChange: () => void = () => undefined,
  ) {
    this.#documents = documents;
    this.#collection = collection;
    this.#schema = schema;
    this.#onChange = onChange;
  }

  /** Reads all of them. Returns the ids of those that are not usable; they are left out, and left alone. */
  async load(): Promise<string[]> {
    const unusable: string[] = [];
    for await (const { user, id, body } of keptDocuments(this.#documents, this.#collection)) {
      const { success, data } = this.#schema.safeParse(body);
      if (success) this.#ofUser(user).set(id, data);
      else unusable.push(`${this.#collection} ${user}/${id}`);
    }
    return unusable;
  }

  get({ user, id }: RecordKey): T | undefined {
    return this.#users.get(user)?.get(id);
  }

  has(key: RecordKey): boolean {
    return this.get(key) !== undefined;
  }

  /** The records of a user, in the order in which they were made. */
  list(user: string): readonly T[] {
    return [...(this.#users.get(user)?.values() ?? [])];
  }

  /** Number of records of a user. */
  count(user: string): number {
    return this.#users.get(user)?.size ?? 0;
  }

  /** @throws what the store throws (as a rejection); then nothing has changed */
  async put(key: RecordKey, record: T): Promise<void> {
    const before = this.get(key);
    this.#ofUser(key.user).set(key.id, record);
    if (before !== undefined) this.#onChange();
    await this.#write(
      (documents) => documents.put(this.#keyOf(key), withoutGaps(record)),
      () => {
        if (this.get(key) === record) this.#restore(key, before);
      },
    );
  }

  /** @throws what the store throws (as a rejection); then nothing has changed */
  async remove(key: RecordKey): Promise<void> {
    const before = this.get(key);
    if (before === undefined) return;
    this.#restore(key, undefined);
    this.#onChange();
    await this.#write(
      (documents) => documents.remove(this.#keyOf(key)),
      () => {
        if (!this.has(key)) this.#restore(key, before);
      },
    );
  }

  /** Resolves when everything is kept, or has failed. */
  settled(): Promise<void> {
    return this.#writes;
  }

  #keyOf({ user, id }: RecordKey): { collection: string; user: string; id: string } {
    return { collection: this.#collection, user, id };
  }

  #ofUser(user: string): Map<string, T> {
    const records = this.#users.get(user) ?? new Map<string, T>();
    this.#users.set(user, records);
    return records;
  }

  #restore({ user, id }: RecordKey, record: T | undefined): void {
    const records = this.#ofUser(user);
    if (record !== undefined) records.set(id, record);
    else if (records.delete(id) && records.size === 0) this.#users.delete(user);
  }

  async #write(write: (documents: DocumentStore) => Promise<unknown>, takeBack: () => void): Promise<void> {
    const written = this.#writes.then(async () => {
      await write(await this.#documents);
    });
    this.#writes = written.catch(takeBack);
    await written;
  }
}

/** All documents of a collection. */
export async function* keptDocuments(
  opening: Documents,
  collection: string,
): AsyncGenerator<StoredDocument, undefined> {
  const documents = await opening;
  for (let offset = 0; ; offset += MAX_PAGE) {
    const page = await documents.list({ collection }, { offset, limit: MAX_PAGE });
    yield* page;
    if (page.length < MAX_PAGE) return;
  }
}

function withoutGaps(record: RecordBody): Record<string, Value> {
  const body: Record<string, Value> = {};
  for (const [name, value] of Object.entries(record)) if (value !== undefined) body[name] = value;
  return body;
}
