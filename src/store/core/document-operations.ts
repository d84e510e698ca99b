import { mergeMap } from '../merge-patch';
import type { StoreLimits } from '../store-limits';
import { mapFromStored, toStored } from '../stored-value';
import { checkExpected, checkQuota, missing } from './failures';
import type { Writes } from './operations';
import { searchText } from './search-text';
import type { DocumentEntry, DocumentTable } from './tables';

/** What writes of documents do. */
export class DocumentOperations {
  readonly #table: DocumentTable;
  readonly #limits: StoreLimits;

  constructor(table: DocumentTable, limits: StoreLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  put(args: Writes['documentPut']['args']): 'created' | 'updated' {
    const { collection, user, id, body, at } = args;
    const before = this.#table.get(collection, user, id);
    checkExpected(collection, id, before !== undefined, args.expect);
    if (before === undefined) {
      const count = this.#table.count(collection, user);
      checkQuota(`documents of the collection ${collection}`, count, this.#limits.documentsPerCollection);
    }
    const search = searchText(id, mapFromStored(body));
    this.#table.put({ collection, user, id, body, search, created: before?.created ?? at, modified: at });
    return before === undefined ? 'created' : 'updated';
  }

  merge({ collection, user, id, patch, at }: Writes['documentMerge']['args']): DocumentEntry {
    const before = this.#table.get(collection, user, id);
    if (before === undefined) throw missing(collection, id);
    const merged = mergeMap(mapFromStored(before.body), mapFromStored(patch));
    const body = toStored(merged, this.#limits.valueSize);
    const entry = { ...before, body, search: searchText(id, merged), modified: at };
    this.#table.put(entry);
    return entry;
  }
}
