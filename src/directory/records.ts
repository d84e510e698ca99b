import { z } from 'zod';
import { asError } from '../errors';
import type { DocumentStore, StoredDocument } from '../store/document-store';
import { MAX_PAGE } from '../store/page';
import type { Value } from '../types';
import { userKey } from '../util/device-key';

/** Identifies a record. Ids are unique for each user. */
export interface RecordKey {
  readonly user: string;
  readonly id: string;
}

/** The owner of the server's own records. No user has this name. */
export const SERVER = '*';

/** The documents that records are kept in. The store may still be opening. */
export type Documents = Promise<DocumentStore>;

/** A record, as it is kept. Members that are `undefined` are left out. */
export type RecordBody = Readonly<Record<string, Value | undefined>>;

/** The schema of any value that PSON and JSON carry. A kept value was checked when it came. */
export const anyValue = z.custom<Value>((value) => value !== undefined);

/** Keeps a change. */
type KeepChange = (documents: DocumentStore) => Promise<unknown>;

/** The changes of one record that wait for the store, each made on top of the one before it. */
interface PendingChanges<T> {
  waiting: number;
  /** The record as the store has it. */
  kept: T | undefined;
  /** Why one of them could not be kept. */
  fault: Error | undefined;
}

/** A change of a record. Members that are left out or `undefined` stay as they are. */
export type RecordChange<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The record with the change made. */
export function changed<T extends object>(record: T, change: RecordChange<T>): T {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...record, ...Object.fromEntries(given) };
}

/**
 * The documents of one collection, checked and held in memory, so that every request and every login finds them at once.
 * A change is visible at once, and is taken back when it cannot be kept; with it fail the changes of the same record that
 * were made on top of it.
 */
export class Records<T extends RecordBody> {
  readonly #documents: Documents;
  readonly #collection: string;
  readonly #schema: z.ZodType<T>;
  readonly #onChange: () => void;
  readonly #users = new Map<string, Map<string, T>>();
  /** The changes that wait for the store, by record. */
  readonly #changes = new Map<string, PendingChanges<T>>();
  /** Writes are made one after the other, so that the last change of a record stays. */
  #writes: Promise<void> = Promise.resolve();

  /** @param onChange is called when a record was replaced or removed */
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

  /** Reads all documents. Returns the ids of those that are not usable; they are left out and stay in the store. */
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
    await this.#change(key, record, (documents) => documents.put(this.#keyOf(key), withoutGaps(record)));
  }

  /** @throws what the store throws (as a rejection); then nothing has changed */
  async remove(key: RecordKey): Promise<void> {
    if (!this.has(key)) return;
    await this.#change(key, undefined, (documents) => documents.remove(this.#keyOf(key)));
  }

  /** Resolves when all changes are kept or have failed. */
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

  #set({ user, id }: RecordKey, record: T | undefined): void {
    const records = this.#ofUser(user);
    if (record !== undefined) records.set(id, record);
    else if (records.delete(id) && records.size === 0) this.#users.delete(user);
  }

  /** Makes a change at once, and keeps it. */
  async #change(key: RecordKey, record: T | undefined, write: KeepChange): Promise<void> {
    const before = this.get(key);
    const name = userKey(key.user, key.id);
    const changes = this.#changes.get(name) ?? { waiting: 0, kept: before, fault: undefined };
    this.#changes.set(name, changes);
    changes.waiting++;
    this.#set(key, record);
    if (before !== undefined) this.#onChange();
    const written = this.#writes.then(async () => {
      if (changes.fault !== undefined) throw changes.fault;
      await write(await this.#documents);
      changes.kept = record;
    });
    this.#writes = written
      .catch((error: unknown) => {
        if (changes.fault !== undefined) return;
        changes.fault = asError(error);
        // What is changed from now on begins with what is kept.
        this.#changes.delete(name);
        this.#set(key, changes.kept);
      })
      .finally(() => {
        if (--changes.waiting === 0 && this.#changes.get(name) === changes) this.#changes.delete(name);
      });
    try {
      await written;
    } catch (error) {
      this.#onChange();
      throw error;
    }
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
