import { checkExpected, checkName, checkPage, checkQuota, missing, type Expected } from '../../checks';
import type {
  DocumentBody,
  DocumentKey,
  DocumentStore,
  FoundDocument,
  PutOptions,
  StoredDocument,
} from '../../document-store';
import { mergeMap } from '../../merge-patch';
import { MAX_PAGE, searchText, type FullPage, type Page } from '../../page';
import { mapFromStored, toStored, toStoredMap } from '../../stored-value';
import { bytesOf, numberOf, textOf, type Row, type Statements } from '../database/statements';
import type { Operation, OperationCaller, StoreContext, Table, TableParts } from './operations';

/** A document as it is kept. */
interface DocumentRow extends Omit<StoredDocument, 'body'> {
  /** A map. */
  readonly body: Uint8Array;
}

interface DocumentListArgs {
  readonly collection: string;
  readonly user: string | undefined;
  readonly page: FullPage;
}

interface PutArgs extends DocumentKey {
  readonly body: Uint8Array;
  readonly expect: Expected;
  readonly at: number;
  readonly revokes: boolean;
}

interface DocumentMergeArgs extends DocumentKey {
  readonly patch: Uint8Array;
  readonly at: number;
}

/** What is done with documents in the thread of the database. */
export interface DocumentOperations {
  readonly reads: {
    readonly documentGet: Operation<DocumentKey, DocumentRow | undefined>;
    readonly documentList: Operation<DocumentListArgs, DocumentRow[]>;
  };
  readonly writes: {
    readonly documentPut: Operation<PutArgs, 'created' | 'updated'>;
    readonly documentMerge: Operation<DocumentMergeArgs, DocumentRow>;
    readonly documentRemove: Operation<DocumentKey, boolean>;
    readonly documentClear: Operation<{ readonly collection: string; readonly user: string }, number>;
  };
}

/** Documents in SQLite: checks and encodes what goes to the thread of the database, and decodes what comes back. */
export class SqliteDocuments implements DocumentStore {
  readonly #context: StoreContext<OperationCaller<DocumentOperations>>;

  constructor(context: StoreContext<OperationCaller<DocumentOperations>>) {
    this.#context = context;
  }

  async get(key: DocumentKey): Promise<StoredDocument | undefined> {
    const found = await this.#context.database.read('documentGet', checkedKey(key));
    return found && this.#context.damaged.read(nameOf(found), () => toDocument(found));
  }

  async put(
    key: DocumentKey,
    body: DocumentBody,
    expect?: 'absent' | 'present',
    { revokes = false }: PutOptions = {},
  ): Promise<'created' | 'updated'> {
    const { database, limits, now } = this.#context;
    const bytes = toStoredMap(body, limits.valueSize);
    const args = { ...checkedKey(key), body: bytes, expect, at: now(), revokes };
    return database.write('documentPut', args, bytes.length);
  }

  async merge(key: DocumentKey, patch: DocumentBody): Promise<StoredDocument> {
    const { database, limits, now } = this.#context;
    const bytes = toStoredMap(patch, limits.valueSize);
    const args = { ...checkedKey(key), patch: bytes, at: now() };
    return toDocument(await database.write('documentMerge', args, bytes.length));
  }

  async remove(key: DocumentKey): Promise<boolean> {
    return this.#context.database.write('documentRemove', checkedKey(key), 0);
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
    const { database, damaged } = this.#context;
    return damaged.readAll(await database.read('documentList', args), nameOf, toDocument);
  }

  async *scan(collection: string): AsyncGenerator<FoundDocument, undefined> {
    const { database } = this.#context;
    const of = { collection: checkName('a collection', collection), user: undefined };
    for (let offset = 0; ; offset += MAX_PAGE) {
      const page = { offset, limit: MAX_PAGE, search: '' };
      const rows = await database.read('documentList', { ...of, page });
      for (const { user, id, body } of rows) yield { collection, user, id, body: bodyOf(body) };
      if (rows.length < MAX_PAGE) return;
    }
  }

  async clear(of: { readonly collection: string; readonly user: string }): Promise<number> {
    const args = {
      collection: checkName('a collection', of.collection),
      user: checkName('a user', of.user),
    };
    return this.#context.database.write('documentClear', args, 0);
  }
}

function checkedKey({ collection, user, id }: DocumentKey): DocumentKey {
  return {
    collection: checkName('a collection', collection),
    user: checkName('a user', user),
    id: checkName('an id', id),
  };
}

function bodyOf(bytes: Uint8Array): DocumentBody | undefined {
  try {
    return mapFromStored(bytes);
  } catch {
    // The reader tells what cannot be read, as it tells what is not of its form.
    return undefined;
  }
}

function nameOf({ collection, user, id }: DocumentKey): string {
  return `the document ${collection} ${user}/${id}`;
}

function toDocument(row: DocumentRow): StoredDocument {
  return { ...row, body: mapFromStored(row.body) };
}

const OF_USER = 'FROM document WHERE collection = ? AND user = ?';
const PAGE = 'instr(search, ?) > 0 ORDER BY user, id LIMIT ? OFFSET ?';
const PUT = `
  INSERT INTO document (collection, user, id, search, created, modified, body)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE
  SET search = excluded.search, modified = excluded.modified, body = excluded.body`;

/** The table of documents in the thread of the database. */
export function documentTable(table: TableParts): Table<DocumentOperations> {
  const { sql } = table;
  return {
    reads: {
      documentGet: (key) => find(sql, key),
      documentList: (args) => list(sql, args),
    },
    writes: {
      documentPut: (args) => put(table, args),
      documentMerge: (args) => merge(table, args),
      documentRemove: ({ id, ...of }) => remove(table, of, id) > 0,
      documentClear: (of) => remove(table, of),
    },
  };
}

function find(sql: Statements, { collection, user, id }: DocumentKey): DocumentRow | undefined {
  const row = sql.get(`SELECT * ${OF_USER} AND id = ?`, collection, user, id);
  return row && fromRow(row);
}

function list(sql: Statements, { collection, user, page }: DocumentListArgs): DocumentRow[] {
  const { search, limit, offset } = page;
  const ofAll = `SELECT * FROM document WHERE collection = ? AND ${PAGE}`;
  const rows =
    user === undefined
      ? sql.all(ofAll, collection, search, limit, offset)
      : sql.all(`SELECT * ${OF_USER} AND ${PAGE}`, collection, user, search, limit, offset);
  return rows.map(fromRow);
}

function put({ sql, limits, counts }: TableParts, args: PutArgs): 'created' | 'updated' {
  const { collection, user, id, body, at } = args;
  const before = find(sql, args);
  checkExpected(collection, id, before !== undefined, args.expect);
  if (before === undefined) {
    const count = counts.of(OF_USER, collection, user);
    checkQuota(`documents of the collection ${collection}`, count, limits.documentsPerCollection);
  }
  const row = { collection, user, id, body, created: before?.created ?? at, modified: at };
  write(sql, row, mapFromStored(body));
  if (before !== undefined) return 'updated';
  counts.change(1, OF_USER, collection, user);
  return 'created';
}

function merge(table: TableParts, args: DocumentMergeArgs): DocumentRow {
  const { sql, limits } = table;
  const before = find(sql, args);
  if (before === undefined) throw missing(args.collection, args.id);
  const body = table.damaged.read(nameOf(before), () => mapFromStored(before.body));
  const merged = mergeMap(body, mapFromStored(args.patch));
  const row = { ...before, body: toStored(merged, limits.valueSize), modified: args.at };
  write(sql, row, merged);
  return row;
}

/** Removes a document, or all of a user's in a collection; answers how many. */
function remove(
  { sql, counts }: TableParts,
  { collection, user }: Omit<DocumentKey, 'id'>,
  id?: string,
): number {
  const removed =
    id === undefined
      ? sql.run(`DELETE ${OF_USER}`, collection, user)
      : sql.run(`DELETE ${OF_USER} AND id = ?`, collection, user, id);
  counts.change(-removed, OF_USER, collection, user);
  return removed;
}

/** @param map the body */
function write(sql: Statements, row: DocumentRow, map: DocumentBody): void {
  const { collection, user, id, body, created, modified } = row;
  sql.run(PUT, collection, user, id, searchText(id, map), created, modified, body);
}

function fromRow(row: Row): DocumentRow {
  return {
    collection: textOf(row, 'collection'),
    user: textOf(row, 'user'),
    id: textOf(row, 'id'),
    body: bytesOf(row, 'body'),
    created: numberOf(row, 'created'),
    modified: numberOf(row, 'modified'),
  };
}
