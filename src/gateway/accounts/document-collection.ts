import type { Value } from '../../types';

/** A document: what JSON can carry. Members that are `undefined` are left out. */
export type Document = Readonly<Record<string, Value | undefined>>;

/** What a document is found by. */
export interface DocumentKey {
  /** Whose it is; '' = the server's own. */
  readonly user: string;
  /** What it is about, such as `device`, `token`, `session`, `user`. */
  readonly kind: string;
  readonly id: string;
}

/**
 * Where documents are kept for good. Whoever implements it may be as slow as a disk: all that is asked often is held
 * in memory.
 */
export interface DocumentCollection {
  get(key: DocumentKey): Promise<Document | undefined>;
  put(key: DocumentKey, document: Document): Promise<void>;
  /** Removing what is not there is no error. */
  remove(key: DocumentKey): Promise<void>;
  /** All documents of a kind, of one user or of all. */
  list(kind: string, user?: string): Promise<readonly { key: DocumentKey; document: Document }[]>;
}

/** Documents that last as long as the process. */
export class MemoryDocuments implements DocumentCollection {
  readonly #documents = new Map<string, { key: DocumentKey; document: Document }>();

  get(key: DocumentKey): Promise<Document | undefined> {
    return Promise.resolve(this.#documents.get(pathOf(key))?.document);
  }

  put(key: DocumentKey, document: Document): Promise<void> {
    this.#documents.set(pathOf(key), { key, document: structuredClone(document) });
    return Promise.resolve();
  }

  remove(key: DocumentKey): Promise<void> {
    this.#documents.delete(pathOf(key));
    return Promise.resolve();
  }

  list(kind: string, user?: string): Promise<readonly { key: DocumentKey; document: Document }[]> {
    const found = [...this.#documents.values()].filter(
      ({ key }) => key.kind === kind && (user === undefined || key.user === user),
    );
    return Promise.resolve(found);
  }
}

function pathOf({ user, kind, id }: DocumentKey): string {
  return JSON.stringify([kind, user, id]);
}
