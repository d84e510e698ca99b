import type { z } from 'zod';
import type { Document, DocumentCollection } from './document-collection';

/** What a record is found by: ids are unique for each user. */
export interface RecordKey {
  readonly user: string;
  readonly id: string;
}

/**
 * The documents of one kind, checked and held in memory, so that every request and every login finds them at once.
 * Changes are seen at once, too, and are taken back when they cannot be kept.
 */
export class Records<T extends Document> {
  readonly #documents: DocumentCollection;
  readonly #kind: string;
  readonly #schema: z.ZodType<T>;
  readonly #users = new Map<string, Map<string, T>>();
  /** Writes go one after the other: the last change of a record is the one that stays. */
  #writes: Promise<void> = Promise.resolve();

  constructor(documents: DocumentCollection, kind: string, schema: z.ZodType<T>) {
    this.#documents = documents;
    this.#kind = kind;
    this.#schema = schema;
  }

  /** Reads all of them. Returns the ids of those that are not usable; they are left out, and left alone. */
  async load(): Promise<string[]> {
    const unusable: string[] = [];
    for (const { key, document } of await this.#documents.list(this.#kind)) {
      const { success, data } = this.#schema.safeParse(document);
      if (success) this.#ofUser(key.user).set(key.id, data);
      else unusable.push(`${this.#kind} ${key.user}/${key.id}`);
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
    await this.#write(
      () => this.#documents.put({ ...key, kind: this.#kind }, record),
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
    await this.#write(
      () => this.#documents.remove({ ...key, kind: this.#kind }),
      () => {
        if (!this.has(key)) this.#restore(key, before);
      },
    );
  }

  /** Resolves when everything is kept, or has failed. */
  settled(): Promise<void> {
    return this.#writes;
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

  async #write(write: () => Promise<void>, takeBack: () => void): Promise<void> {
    const written = this.#writes.then(write);
    this.#writes = written.catch(takeBack);
    await written;
  }
}
