import { z } from 'zod';
import { asError, IotmpError } from '../errors';
import type { DocumentStore, FoundDocument } from '../store/document-store';
import type { Value } from '../types';
import { userKey } from '../util/device-key';
import type { Revocations } from './revocations';

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

/** The changes of one record that wait for the store, each made on top of the one before it. */
interface PendingChanges<T> {
  waiting: number;
  /** The record as it is again if the next one cannot be kept. */
  base: T | undefined;
  /** Why one of them could not be kept. */
  fault: Error | undefined;
}

/** Records that let somebody in, or let him do something. What a change takes away from them counts at once. */
export interface Rights<T> {
  readonly revocations: Revocations;
  /**
   * What holds of a change even if the store cannot keep it: all that it takes away, and nothing that it gives. `before` itself
   * if the change takes nothing away. Without `before` the record is new, without `next` it is removed.
   */
  readonly least: (before: T | undefined, next: T | undefined) => T | undefined;
}

/** What more is known of the records of a collection. */
export interface RecordOptions<T> {
  /** Is called at once when a record was replaced or removed, and when a change was taken back. It must not throw. */
  readonly onChange?: ((key: RecordKey, before: T | undefined) => void) | undefined;
  readonly rights?: Rights<T> | undefined;
}

/** Something that is in force, and that the store does not have yet. */
interface Owed<T> {
  readonly key: RecordKey;
  readonly record: T | undefined;
}

/** Keeps the records of a kind. */
export interface Keeper {
  /** Number of documents that are no usable records. */
  readonly unusable: number;
  /** Reads all of them; returns the names of those that are not usable. */
  load(): Promise<string[]>;
  /** Resolves when all changes are kept or have failed. */
  settled(): Promise<void>;
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
 * were made on top of it. What a change takes away of rights is not taken back: it is in force whatever the disk says, and
 * is written again until it is kept.
 */
export class Records<T extends RecordBody> {
  readonly #documents: Documents;
  readonly #collection: string;
  readonly #schema: z.ZodType<T>;
  readonly #options: RecordOptions<T>;
  readonly #users = new Map<string, Map<string, T>>();
  /** Documents that are no usable records. They stay in the store until somebody removes them. */
  readonly #unusable = new Map<string, RecordKey>();
  /** The changes that wait for the store, by record. */
  readonly #changes = new Map<string, PendingChanges<T>>();
  readonly #owed = new Map<string, Owed<T>>();
  /** Writes are made one after the other, so that the last change of a record stays. */
  #writes: Promise<void> = Promise.resolve();

  constructor(
    documents: Documents,
    collection: string,
    schema: z.ZodType<T>,
    options: RecordOptions<T> = {},
  ) {
    this.#documents = documents;
    this.#collection = collection;
    this.#schema = schema;
    this.#options = options;
  }

  /** Number of documents that are no usable records. */
  get unusable(): number {
    return this.#unusable.size;
  }

  /**
   * Reads all documents. Returns the names of those that are not usable: they are left out, nothing is made in their place,
   * and they stay in the store until they are removed.
   */
  async load(): Promise<string[]> {
    const names: string[] = [];
    for await (const { user, id, body } of keptDocuments(this.#documents, this.#collection)) {
      const { success, data } = this.#schema.safeParse(body);
      if (success) this.#ofUser(user).set(id, data);
      else {
        this.#unusable.set(userKey(user, id), { user, id });
        names.push(this.#nameOf({ user, id }));
      }
    }
    return names;
  }

  get({ user, id }: RecordKey): T | undefined {
    return this.#users.get(user)?.get(id);
  }

  has(key: RecordKey): boolean {
    return this.get(key) !== undefined;
  }

  /** Whether there is a document under this key that is no usable record. */
  isUnusable({ user, id }: RecordKey): boolean {
    return this.#unusable.size > 0 && this.#unusable.has(userKey(user, id));
  }

  /** Whether something was taken away from a record, or all of it, and the store does not know yet. */
  isOwed({ user, id }: RecordKey): boolean {
    return this.#owed.has(userKey(user, id));
  }

  /** Whether a record was removed, but the store has it still. */
  isRemovalOwed(key: RecordKey): boolean {
    return this.isOwed(key) && !this.has(key);
  }

  /** The records of a user, in the order in which they were made. */
  list(user: string): readonly T[] {
    return [...(this.#users.get(user)?.values() ?? [])];
  }

  /** Number of records of a user. */
  count(user: string): number {
    return this.#users.get(user)?.size ?? 0;
  }

  /**
   * @throws what the store throws (as a rejection): then nothing has changed but what the change takes away of rights.
   *   IOTMP_ERR_CONFLICT for a document that is no usable record
   */
  async put(key: RecordKey, record: T): Promise<void> {
    if (this.isUnusable(key)) {
      const text = `the ${this.#nameOf(key)} is there and cannot be read: it has to be deleted first`;
      throw new IotmpError('IOTMP_ERR_CONFLICT', text);
    }
    await this.#change(key, record);
  }

  /** @throws what the store throws (as a rejection): a record that gives rights is gone all the same */
  async remove(key: RecordKey): Promise<void> {
    if (this.has(key)) await this.#change(key, undefined);
    else if (this.isRemovalOwed(key)) await this.#repeat(userKey(key.user, key.id));
    else if (this.isUnusable(key)) await this.#removeUnusable(key);
  }

  /** Removes the records and the unusable documents of a user. @throws as {@link remove}, when all were tried */
  async removeAll(user: string): Promise<void> {
    const keys = [...(this.#users.get(user)?.keys() ?? [])].map((id) => ({ user, id }));
    const unusable = [...this.#unusable.values()].filter((key) => key.user === user);
    const owed = [...this.#owed.values()].map(({ key }) => key);
    const gone = owed.filter((key) => key.user === user && !this.has(key));
    await allSettled([...keys, ...unusable, ...gone].map((key) => this.remove(key)));
  }

  /** Resolves when all changes are kept or have failed. */
  settled(): Promise<void> {
    return this.#writes;
  }

  #nameOf({ user, id }: RecordKey): string {
    return `${this.#collection} ${user === SERVER ? '' : `${user}/`}${id}`;
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

  async #write({ user, id }: RecordKey, record: T | undefined, revokes: boolean): Promise<void> {
    const documents = await this.#documents;
    const key = { collection: this.#collection, user, id };
    if (record === undefined) await documents.remove(key);
    else await documents.put(key, withoutGaps(record), undefined, { revokes });
  }

  /** Makes a change at once, and keeps it. */
  async #change(key: RecordKey, record: T | undefined): Promise<void> {
    const before = this.get(key);
    const name = userKey(key.user, key.id);
    const changes = this.#changes.get(name) ?? { waiting: 0, base: before, fault: undefined };
    this.#changes.set(name, changes);
    changes.waiting++;
    this.#set(key, record);
    const revokes = this.#least(before, record) !== before;
    if (before !== undefined) this.#options.onChange?.(key, before);
    const written = this.#writes.then(async () => {
      if (changes.fault !== undefined) throw changes.fault;
      await this.#write(key, record, revokes);
      changes.base = record;
      this.#owed.delete(name);
    });
    this.#writes = written
      .catch((error: unknown) => {
        if (changes.fault !== undefined) return;
        changes.fault = asError(error);
        // What is changed from now on begins with what is in force.
        this.#changes.delete(name);
        this.#fallBack(key, changes.base, error);
      })
      .finally(() => {
        if (--changes.waiting === 0 && this.#changes.get(name) === changes) this.#changes.delete(name);
      });
    await written;
  }

  /** Takes back what could not be kept, but for what it took away of rights. */
  #fallBack(key: RecordKey, base: T | undefined, error: unknown): void {
    const latest = this.get(key);
    const record = this.#least(base, latest);
    this.#set(key, record);
    this.#options.onChange?.(key, latest);
    if (record === base) return;
    const name = userKey(key.user, key.id);
    this.#owed.set(name, { key, record });
    this.#options.rights?.revocations.owe(`the ${this.#nameOf(key)}`, error, () => this.#repeat(name));
  }

  #least(before: T | undefined, next: T | undefined): T | undefined {
    const { rights } = this.#options;
    return rights === undefined ? before : rights.least(before, next);
  }

  /** Writes what is in force and was not kept, behind the changes that were made meanwhile: they take its place. */
  async #repeat(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const owed = this.#owed.get(name);
      if (owed === undefined) return;
      await this.#write(owed.key, owed.record, true);
      if (this.#owed.get(name) === owed) this.#owed.delete(name);
    });
  }

  async #removeUnusable(key: RecordKey): Promise<void> {
    await this.#inTurn(async () => {
      await this.#write(key, undefined, true);
      this.#unusable.delete(userKey(key.user, key.id));
    });
  }

  /** Does work between the writes. Who waits for the writes does not hear of its fault. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writes.then(work);
    this.#writes = done.catch(ignore);
    return done;
  }
}

/** Reads the records of keepers, and tells of each document that is no usable record. */
export async function loadAll(keepers: readonly Keeper[], warn: (text: string) => void): Promise<void> {
  for (const keeper of keepers) {
    for (const name of await keeper.load())
      warn(`${name} is not usable and left out: it stays in the store until it is deleted`);
  }
}

/** Of records that are only made and removed: what is removed is gone, and nothing else is taken away. */
export function leastKept<T>(before: T | undefined, next: T | undefined): T | undefined {
  return next === undefined ? undefined : before;
}

/** Resolves when all have; rejects as the first of them did that failed, when all have ended. */
export async function allSettled(changes: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(changes)) {
    if (outcome.status === 'rejected') throw asError(outcome.reason);
  }
}

function ignore(): void {
  // Whoever asked for it hears of it.
}

/** All documents of a collection; a body that cannot be read is `undefined`. */
export async function* keptDocuments(
  opening: Documents,
  collection: string,
): AsyncGenerator<FoundDocument, undefined> {
  yield* (await opening).scan(collection);
}

function withoutGaps(record: RecordBody): Record<string, Value> {
  const body: Record<string, Value> = {};
  for (const [name, value] of Object.entries(record)) if (value !== undefined) body[name] = value;
  return body;
}
