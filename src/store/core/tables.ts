import type { FullPage } from '../page';
import type { PointSource } from './point-source';

/**
 * What a way of storing has to offer: tables that are read and written at once, by one caller. The rules (limits,
 * outcomes, retention, queries) are above it, the same for all.
 */
export interface Tables {
  readonly properties: PropertyTable;
  readonly documents: DocumentTable;
  readonly retained: RetainedTable;
  readonly buckets: BucketTable;
  readonly points: PointTable;
}

/** When something was made and last became another, in ms since 1970. */
export interface Stamps {
  readonly created: number;
  readonly modified: number;
}

/** A property as it is kept. */
export interface PropertyEntry extends Stamps {
  readonly name: string;
  readonly value: Uint8Array;
  /** A map. */
  readonly attributes: Uint8Array;
}

/** Properties. An owner is a user and a device, or what stands for one: see `ownerKey`. */
export interface PropertyTable {
  get(user: string, device: string, name: string): PropertyEntry | undefined;
  put(user: string, device: string, entry: PropertyEntry): void;
  remove(user: string, device: string, name: string): boolean;
  clear(user: string, device: string): number;
  count(user: string, device: string): number;
  list(user: string, device: string, page: FullPage): PropertyEntry[];
}

/** A document as it is kept. */
export interface DocumentEntry extends Stamps {
  readonly collection: string;
  readonly user: string;
  readonly id: string;
  /** A map. */
  readonly body: Uint8Array;
  /** The text in which the name of a page is looked for. */
  readonly search: string;
}

/** Documents, by collection, user and id. */
export interface DocumentTable {
  get(collection: string, user: string, id: string): DocumentEntry | undefined;
  put(entry: DocumentEntry): void;
  remove(collection: string, user: string, id: string): boolean;
  clear(collection: string, user: string): number;
  count(collection: string, user: string): number;
  list(collection: string, user: string | undefined, page: FullPage): DocumentEntry[];
}

/** A retained message as it is kept. */
export interface RetainedEntry {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly ts: number;
}

/** Retained messages, by user and topic. */
export interface RetainedTable {
  get(user: string, topic: string): RetainedEntry | undefined;
  put(user: string, entry: RetainedEntry): void;
  remove(user: string, topic: string): boolean;
  clear(user: string): number;
  count(user: string): number;
  /** Entries after a topic, in order: those of the topic `parent`, those below it, and maybe others; all if it is empty. */
  after(user: string, topic: string, parent: string, limit: number): RetainedEntry[];
}

/** A bucket as it is kept. */
export interface BucketEntry extends Stamps {
  /** Never used again, not even for a bucket of the same name. */
  readonly id: number;
  readonly user: string;
  readonly bucket: string;
  /** A map. */
  readonly settings: Uint8Array;
  readonly rows: number;
}

/** What {@link BucketTable.put} keeps. */
export type NewBucket = Omit<BucketEntry, 'id' | 'rows'> & { readonly search: string };

/** Buckets, by user and name. */
export interface BucketTable {
  get(user: string, bucket: string): BucketEntry | undefined;
  /** Makes a bucket, or replaces all but the id and the rows. */
  put(entry: NewBucket): void;
  addRows(id: number, count: number): void;
  /** Removes the bucket; its points are lost, now or little by little. */
  remove(id: number): void;
  /** Gives the bucket another id and no rows; the points of the old id are lost, now or little by little. */
  empty(id: number): void;
  count(user: string): number;
  list(user: string | undefined, page: FullPage): BucketEntry[];
}

/** Rows of buckets. A bucket is named by its id here. */
export interface PointTable extends PointSource {
  /** Whether there is one of that time and device. */
  has(bucket: number, ts: number, device: string): boolean;
  /** Writes one; answers whether there was none of that time and device. No device is the empty text. */
  put(bucket: number, ts: number, device: string, value: Uint8Array): boolean;
  /** Removes the oldest; answers how many. */
  removeOldest(bucket: number, count: number): number;
  /** Removes those before a time, but no more than so many; answers how many. */
  removeBefore(bucket: number, ts: number, limit: number): number;
}
