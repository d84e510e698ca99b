import type {
  BucketEntry,
  BucketTable,
  DocumentEntry,
  DocumentTable,
  NewBucket,
  PropertyEntry,
  PropertyTable,
  RetainedEntry,
  RetainedTable,
  Tables,
} from '../core/tables';
import { userKey } from '../../util/device-key';
import type { FullPage } from '../page';
import { GroupedMap } from './grouped-map';
import { MemoryPoints } from './memory-points';
import { pageOf } from './sorted-map';

/** Tables in the memory of the process. */
export function memoryTables(): Tables {
  const points = new MemoryPoints();
  return {
    properties: new MemoryProperties(),
    documents: new MemoryDocuments(),
    retained: new MemoryRetained(),
    buckets: new MemoryBuckets(points),
    points,
  };
}

class MemoryProperties implements PropertyTable {
  readonly #entries = new GroupedMap<PropertyEntry>();

  get(user: string, device: string, name: string): PropertyEntry | undefined {
    return this.#entries.get(userKey(user, device), name);
  }

  put(user: string, device: string, entry: PropertyEntry): void {
    this.#entries.set(userKey(user, device), entry.name, entry);
  }

  remove(user: string, device: string, name: string): boolean {
    return this.#entries.delete(userKey(user, device), name);
  }

  clear(user: string, device: string): number {
    return this.#entries.clear(userKey(user, device));
  }

  count(user: string, device: string): number {
    return this.#entries.count(userKey(user, device));
  }

  list(user: string, device: string, page: FullPage): PropertyEntry[] {
    return pageOf(this.#entries.values(userKey(user, device)), page, ({ name }) => name.toLowerCase());
  }
}

class MemoryDocuments implements DocumentTable {
  readonly #collections = new Map<string, GroupedMap<DocumentEntry>>();

  get(collection: string, user: string, id: string): DocumentEntry | undefined {
    return this.#collections.get(collection)?.get(user, id);
  }

  put(entry: DocumentEntry): void {
    let documents = this.#collections.get(entry.collection);
    if (documents === undefined) {
      documents = new GroupedMap();
      this.#collections.set(entry.collection, documents);
    }
    documents.set(entry.user, entry.id, entry);
  }

  remove(collection: string, user: string, id: string): boolean {
    return this.#collections.get(collection)?.delete(user, id) ?? false;
  }

  clear(collection: string, user: string): number {
    return this.#collections.get(collection)?.clear(user) ?? 0;
  }

  count(collection: string, user: string): number {
    return this.#collections.get(collection)?.count(user) ?? 0;
  }

  list(collection: string, user: string | undefined, page: FullPage): DocumentEntry[] {
    return pageOf(this.#collections.get(collection)?.values(user) ?? [], page, ({ search }) => search);
  }
}

class MemoryRetained implements RetainedTable {
  readonly #entries = new GroupedMap<RetainedEntry>();

  get(user: string, topic: string): RetainedEntry | undefined {
    return this.#entries.get(user, topic);
  }

  put(user: string, entry: RetainedEntry): void {
    this.#entries.set(user, entry.topic, entry);
  }

  remove(user: string, topic: string): boolean {
    return this.#entries.delete(user, topic);
  }

  clear(user: string): number {
    return this.#entries.clear(user);
  }

  count(user: string): number {
    return this.#entries.count(user);
  }

  after(user: string, topic: string, parent: string, limit: number): RetainedEntry[] {
    const found: RetainedEntry[] = [];
    for (const entry of this.#entries.values(user, topic)) {
      if (!entry.topic.startsWith(parent)) continue;
      found.push(entry);
      if (found.length === limit) break;
    }
    return found;
  }
}

class MemoryBuckets implements BucketTable {
  readonly #entries = new GroupedMap<BucketEntry & NewBucket>();
  readonly #byId = new Map<number, BucketEntry & NewBucket>();
  readonly #points: MemoryPoints;
  #lastId = 0;

  constructor(points: MemoryPoints) {
    this.#points = points;
  }

  get(user: string, bucket: string): BucketEntry | undefined {
    return this.#entries.get(user, bucket);
  }

  put(entry: NewBucket): void {
    const before = this.#entries.get(entry.user, entry.bucket);
    this.#keep({ ...entry, id: before?.id ?? ++this.#lastId, rows: before?.rows ?? 0 });
  }

  addRows(id: number, count: number): void {
    const entry = this.#byId.get(id);
    if (entry !== undefined) this.#keep({ ...entry, rows: entry.rows + count });
  }

  remove(id: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#entries.delete(entry.user, entry.bucket);
    this.#drop(id);
  }

  empty(id: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#drop(id);
    this.#keep({ ...entry, id: ++this.#lastId, rows: 0 });
  }

  count(user: string): number {
    return this.#entries.count(user);
  }

  list(user: string | undefined, page: FullPage): BucketEntry[] {
    return pageOf(this.#entries.values(user), page, ({ search }) => search);
  }

  #keep(entry: BucketEntry & NewBucket): void {
    this.#entries.set(entry.user, entry.bucket, entry);
    this.#byId.set(entry.id, entry);
  }

  #drop(id: number): void {
    this.#byId.delete(id);
    this.#points.drop(id);
  }
}
