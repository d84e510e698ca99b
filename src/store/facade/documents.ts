import { checkName, checkPage } from '../checks';
import type { DocumentArgs } from '../core/operations';
import type { DocumentEntry } from '../core/tables';
import type { DocumentBody, DocumentKey, DocumentStore, StoredDocument } from '../document-store';
import type { Page } from '../page';
import { mapFromStored, toStoredMap } from '../stored-value';
import type { FacadeContext } from './facade-context';

/** Checks and encodes what goes to an engine, and decodes what comes back. */
export class Documents implements DocumentStore {
  readonly #context: FacadeContext;

  constructor(context: FacadeContext) {
    this.#context = context;
  }

  async get(key: DocumentKey): Promise<StoredDocument | undefined> {
    const entry = await this.#context.engine.read('documentGet', documentArgs(key));
    return entry && toDocument(entry);
  }

  async put(
    key: DocumentKey,
    body: DocumentBody,
    expect?: 'absent' | 'present',
  ): Promise<'created' | 'updated'> {
    const { engine, limits, now } = this.#context;
    const bytes = toStoredMap(body, limits.valueSize);
    const args = { ...documentArgs(key), body: bytes, expect, at: now() };
    return engine.write('documentPut', args, bytes.length);
  }

  async merge(key: DocumentKey, patch: DocumentBody): Promise<StoredDocument> {
    const { engine, limits, now } = this.#context;
    const bytes = toStoredMap(patch, limits.valueSize);
    const args = { ...documentArgs(key), patch: bytes, at: now() };
    return toDocument(await engine.write('documentMerge', args, bytes.length));
  }

  async remove(key: DocumentKey): Promise<boolean> {
    return this.#context.engine.write('documentRemove', documentArgs(key), 0);
  }

  async list(
    of: { readonly collection: string; readonly user?: string },
    page?: Page,
  ): Promise<StoredDocument[]> {
    const args = {
      collection: checkName('a collection', of.collection),
      user: of.user === undefined ? undefined : checkName('a user', of.user),
      page: checkPage(page),
    };
    return (await this.#context.engine.read('documentList', args)).map(toDocument);
  }

  async clear(of: { readonly collection: string; readonly user: string }): Promise<number> {
    const args = {
      collection: checkName('a collection', of.collection),
      user: checkName('a user', of.user),
    };
    return this.#context.engine.write('documentClear', args, 0);
  }
}

function documentArgs({ collection, user, id }: DocumentKey): DocumentArgs {
  return {
    collection: checkName('a collection', collection),
    user: checkName('a user', user),
    id: checkName('an id', id),
  };
}

function toDocument({ collection, user, id, body, created, modified }: DocumentEntry): StoredDocument {
  return { collection, user, id, body: mapFromStored(body), created, modified };
}
