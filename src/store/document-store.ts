import type { Value } from '../types';
import type { Page } from './page';

/** The members of a document. */
export type DocumentBody = Readonly<Record<string, Value>>;

/** Where a document is: what kind of thing it is, whose it is, and its id. */
export interface DocumentKey {
  /** Such as `token`, `endpoint` or `device`. */
  readonly collection: string;
  readonly user: string;
  readonly id: string;
}

/** A thing that is described by a map: a token, an endpoint, a device made by a program. */
export interface StoredDocument extends DocumentKey {
  readonly body: DocumentBody;
  /** When it was made, in ms since 1970. */
  readonly created: number;
  /** When it last became another, in ms since 1970. */
  readonly modified: number;
}

/** How a document is put. */
export interface PutOptions {
  /** Whether the document takes rights away, so that it may use the room that is kept for removals on a full disk. */
  readonly revokes?: boolean;
}

/** A document as it was found: without a body where that cannot be read. */
export interface FoundDocument extends DocumentKey {
  readonly body: DocumentBody | undefined;
}

/**
 * Documents of all kinds. One that was kept and cannot be read rejects with a `DamagedRecordError` where it is asked for alone,
 * and is left out of lists.
 */
export interface DocumentStore {
  /** One document, or undefined. */
  get(key: DocumentKey): Promise<StoredDocument | undefined>;

  /**
   * Makes a document or replaces it. With `expect`, only if it is `absent` so far (else `IOTMP_ERR_CONFLICT`) or
   * `present` (else `IOTMP_ERR_NOT_FOUND`). `IOTMP_ERR_QUOTA` for one too many in the user's collection.
   */
  put(
    key: DocumentKey,
    body: DocumentBody,
    expect?: 'absent' | 'present',
    options?: PutOptions,
  ): Promise<'created' | 'updated'>;

  /**
   * Changes parts of a document, as a JSON merge patch (RFC 7396) does; answers the whole new document. Rejects with
   * `IOTMP_ERR_NOT_FOUND` where there is none.
   */
  merge(key: DocumentKey, patch: DocumentBody): Promise<StoredDocument>;

  /** Removes one; answers whether it was there. */
  remove(key: DocumentKey): Promise<boolean>;

  /**
   * Documents of a collection by user and id: those of one user or, without one, of all. The page's `name` is looked
   * for in the id and in the member `name`. A page is shorter by the documents that cannot be read.
   */
  list(of: { readonly collection: string; readonly user?: string }, page?: Page): Promise<StoredDocument[]>;

  /** All documents of a collection, by user and id, also those that cannot be read. */
  scan(collection: string): AsyncIterable<FoundDocument>;

  /** Removes all of a user's collection; answers how many there were. */
  clear(of: { readonly collection: string; readonly user: string }): Promise<number>;
}
