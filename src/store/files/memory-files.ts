import { Readable } from 'node:stream';
import { inTheWay, noFile, noRoom } from './file-errors';
import { movedPath, namesBelowRoot, namesOf } from './file-path';
import type { FileEntry, FileLimits, FileStore, OpenFile, StorageKey } from './file-store';
import { limitedContent, WritePlaces } from './limited-content';

/** A file, or a folder, which has no content. */
interface Item {
  readonly content: Buffer | undefined;
  readonly modified: number;
}

/** A storage: its files and folders by their paths. */
type Items = Map<string, Item>;

/** Bytes of all storages: this is the memory of the process. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/** Files in the memory of the process: all are gone with it. */
export class MemoryFiles implements FileStore {
  readonly #limits: FileLimits;
  readonly #places = new WritePlaces();
  readonly #storages = new Map<string, Items>();
  #bytes = 0;
  #arriving = 0;

  constructor(limits: FileLimits) {
    this.#limits = limits;
  }

  list(key: StorageKey, path: string, recursive: boolean): Promise<FileEntry[]> {
    return soon(() => {
      const items = this.#itemsOf(key);
      const names = namesOf(path);
      const item = items.get(path);
      if (item?.content !== undefined) throw inTheWay(path, 'is a file, and not a folder');
      if (item === undefined && names.length > 0) throw noFile(path);
      const start = path === '' ? '' : `${path}/`;
      const below = [...items].filter(
        ([each]) => each.startsWith(start) && (recursive || !each.includes('/', start.length)),
      );
      const entries = below.map(([each, found]) => toEntry(each, found));
      return entries.sort((one, other) => (one.path < other.path ? -1 : 1));
    });
  }

  find(key: StorageKey, path: string): Promise<FileEntry | undefined> {
    return soon(() => {
      namesBelowRoot(path);
      const item = this.#itemsOf(key).get(path);
      return item && toEntry(path, item);
    });
  }

  open(key: StorageKey, path: string): Promise<OpenFile> {
    return soon(() => {
      namesBelowRoot(path);
      const item = this.#itemsOf(key).get(path);
      if (item?.content === undefined) throw noFile(path);
      const { content } = item;
      return { ...toEntry(path, item), content: Readable.from(content.length === 0 ? [] : [content]) };
    });
  }

  async write(
    key: StorageKey,
    path: string,
    content: AsyncIterable<Uint8Array>,
    replace: boolean,
  ): Promise<FileEntry> {
    const names = namesBelowRoot(path);
    return this.#places.use(async () => {
      const chunks: Uint8Array[] = [];
      const maxBytes = Math.min(this.#limits.fileBytes, MEMORY_BYTES);
      await this.#collect(limitedContent(content, maxBytes), chunks);
      const items = this.#itemsOf(key);
      const before = items.get(path);
      if (before !== undefined) checkFree(path, before, replace);
      const item = { content: Buffer.concat(chunks), modified: Date.now() };
      const missing = missingFolders(items, names);
      const more = item.content.length - (before?.content?.length ?? 0);
      this.#checkRoom(items, more, missing.length + (before === undefined ? 1 : 0));
      for (const folder of missing) items.set(folder, newFolder());
      items.set(path, item);
      this.#keep(key, items, more);
      return toEntry(path, item);
    });
  }

  makeFolder(key: StorageKey, path: string): Promise<void> {
    return soon(() => {
      const names = namesBelowRoot(path);
      const items = this.#itemsOf(key);
      const found = items.get(path);
      if (found?.content !== undefined) throw inTheWay(path, 'is already there');
      if (found !== undefined) return;
      const missing = [...missingFolders(items, names), path];
      this.#checkRoom(items, 0, missing.length);
      for (const folder of missing) items.set(folder, newFolder());
      this.#keep(key, items, 0);
    });
  }

  rename(key: StorageKey, from: string, to: string, replace: boolean): Promise<FileEntry> {
    return soon(() => {
      namesBelowRoot(from);
      const names = namesBelowRoot(to);
      if (`${to}/`.startsWith(`${from}/`)) throw inTheWay(to, `cannot be the new path of ${from}`);
      const items = this.#itemsOf(key);
      const item = items.get(from);
      if (item === undefined) throw noFile(from);
      const before = items.get(to);
      if (before !== undefined) checkFree(to, before, replace && item.content !== undefined);
      const missing = missingFolders(items, names);
      this.#checkRoom(items, 0, missing.length);
      for (const path of items.keys()) if (path.startsWith(`${from}/`)) movedPath(path, from, to);
      for (const folder of missing) items.set(folder, newFolder());
      for (const [path, each] of taken(items, from)) items.set(movedPath(path, from, to), each);
      this.#keep(key, items, -(before?.content?.length ?? 0));
      return toEntry(to, item);
    });
  }

  remove(key: StorageKey, path: string, recursive: boolean): Promise<void> {
    return soon(() => {
      namesBelowRoot(path);
      const items = this.#itemsOf(key);
      if (!items.has(path)) throw noFile(path);
      const isEmpty = ![...items.keys()].some((each) => each.startsWith(`${path}/`));
      if (!recursive && !isEmpty) throw inTheWay(path, 'is a folder that is not empty');
      this.#keep(key, items, -bytesOf(taken(items, path)));
    });
  }

  clear(key: StorageKey): Promise<void> {
    return soon(() => {
      this.#bytes -= bytesOf([...this.#itemsOf(key)]);
      this.#storages.delete(nameOf(key));
    });
  }

  /** What is being written takes memory, too. */
  async #collect(content: AsyncIterable<Uint8Array>, chunks: Uint8Array[]): Promise<void> {
    let size = 0;
    try {
      for await (const chunk of content) {
        size += chunk.length;
        this.#arriving += chunk.length;
        if (this.#bytes + this.#arriving > 2 * MEMORY_BYTES) throw noRoom(this.#limits);
        chunks.push(chunk);
      }
    } finally {
      this.#arriving -= size;
    }
  }

  #itemsOf(key: StorageKey): Items {
    return this.#storages.get(nameOf(key)) ?? new Map<string, Item>();
  }

  #keep(key: StorageKey, items: Items, bytes: number): void {
    this.#storages.set(nameOf(key), items);
    this.#bytes += bytes;
  }

  #checkRoom(items: Items, bytes: number, entries: number): void {
    const { storageBytes, storageEntries } = this.#limits;
    if (entries > 0 && items.size + entries > storageEntries) throw noRoom(this.#limits);
    if (bytes <= 0) return;
    const fits = bytesOf([...items]) + bytes <= storageBytes && this.#bytes + bytes <= MEMORY_BYTES;
    if (!fits) throw noRoom({ ...this.#limits, storageBytes: Math.min(storageBytes, MEMORY_BYTES) });
  }
}

/** What is not possible is told by a rejection, as with every store. */
function soon<Result>(work: () => Result): Promise<Result> {
  return Promise.resolve().then(work);
}

function nameOf({ user, storage }: StorageKey): string {
  return `${user.length}:${user}/${storage}`;
}

/** The folders on the way to something, as far as they are not there yet. */
function missingFolders(items: Items, names: readonly string[]): string[] {
  const folders = names.slice(1).map((_name, index) => names.slice(0, index + 1).join('/'));
  for (const folder of folders) {
    if (items.get(folder)?.content !== undefined) throw inTheWay(folder, 'is a file, and not a folder');
  }
  return folders.filter((folder) => !items.has(folder));
}

/** Takes something out, with all that is below it. */
function taken(items: Items, path: string): [string, Item][] {
  const found = [...items].filter(([each]) => each === path || each.startsWith(`${path}/`));
  for (const [each] of found) items.delete(each);
  return found;
}

function bytesOf(items: readonly [string, Item][]): number {
  return items.reduce((sum, [, { content }]) => sum + (content?.length ?? 0), 0);
}

function newFolder(): Item {
  return { content: undefined, modified: Date.now() };
}

function toEntry(path: string, { content, modified }: Item): FileEntry {
  return { path, type: content === undefined ? 'directory' : 'file', size: content?.length ?? 0, modified };
}

function checkFree(path: string, { content }: Item, replace: boolean): void {
  if (content === undefined) throw inTheWay(path, 'is a folder');
  if (!replace) throw inTheWay(path, 'is already there');
}
