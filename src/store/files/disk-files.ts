import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { IotmpError } from '../../errors';
import { PRIVATE_FILE } from '../private-mode';
import { diskFull, inTheWay, noFile, noRoom, toFileError } from './file-errors';
import { movedPath, namesBelowRoot, namesOf, toFolderName } from './file-path';
import { linkTree } from './file-links';
import type { FileEntry, FileLimits, FileStore, OpenFile, StorageKey } from './file-store';
import {
  diskPath,
  ensureFolder,
  entriesIn,
  makeFolders,
  missingAt,
  statAt,
  makeTreePrivate,
  syncFolder,
  toEntry,
  type Place,
} from './folders';
import { limitedContent, WritePlaces } from './limited-content';
import type { TemporaryFolder } from './temporary-folder';
import { Turns } from './turns';

/** The name of a folder beside those of users, which no user can have. */
const TEMPORARY = '%tmp';
/** Not through a link that took the place of a file at the last moment. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW;

/** What a storage holds. */
interface Usage {
  readonly bytes: number;
  readonly entries: number;
}

/**
 * Files below a folder of a disk: `<user>/<storage>/<path>`. A file is written aside, brought to the disk and then given
 * its name, so that it is there as a whole or as it was. What is to go is first moved aside as a whole.
 */
export class DiskFiles implements FileStore {
  readonly #temporary: TemporaryFolder | undefined;
  readonly #folder: string;
  readonly #limits: FileLimits;
  readonly #isFull: () => boolean;
  readonly #turns = new Turns();
  readonly #places = new WritePlaces();
  /** Usage of the storages that have been counted, and in which nothing but files was written since. */
  readonly #usage = new Map<string, Usage>();
  readonly #underWay = new Set<Promise<unknown>>();
  #aside: Promise<string> | undefined;
  /** Keeps what is to go, while a copy is made. */
  #keepLeaving: ((path: string) => Promise<void>) | undefined;
  #isClosed = false;

  /**
   * @param folder is made with the first file where it is missing; only one process at a time may use it
   * @param isFull whether what room there is on the disk is kept for removals
   */
  constructor(folder: string | TemporaryFolder, limits: FileLimits, isFull: () => boolean = () => false) {
    this.#isFull = isFull;
    this.#temporary = typeof folder === 'string' ? undefined : folder;
    this.#folder = typeof folder === 'string' ? folder : folder.path;
    this.#limits = limits;
  }

  async start(): Promise<void> {
    await this.#temporary?.removeAbandoned();
    await makeTreePrivate(this.#folder, () => this.#isClosed);
  }

  /**
   * Copies all files into another folder, after something else is done. Each file that was there at any moment since the call is in the
   * copy, whole, as it was then or later: what goes meanwhile is kept first.
   * @throws StorageError (as a rejection) when the disk fails; what `first` throws
   */
  async copyAround(target: string, first: () => Promise<void>): Promise<void> {
    this.#keepLeaving = async (path) => {
      const kept = join(target, relative(this.#folder, path));
      await ensureFolder(dirname(kept));
      await linkTree(path, kept);
    };
    try {
      await first();
      await this.#do(() => linkTree(this.#folder, target, TEMPORARY));
    } finally {
      this.#keepLeaving = undefined;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await this.#temporary?.remove();
  }

  list(key: StorageKey, path: string, recursive: boolean): Promise<FileEntry[]> {
    return this.#do(async () => {
      const place = this.#place(key, namesOf(path));
      const found = await statAt(place);
      if (found?.isFile() === true) throw inTheWay(path, 'is a file, and not a folder');
      if (found === undefined && path !== '') throw noFile(path);
      if (found === undefined) return [];
      const entries = await entriesIn(place, recursive);
      return entries.sort((one, other) => (one.path < other.path ? -1 : 1));
    });
  }

  find(key: StorageKey, path: string): Promise<FileEntry | undefined> {
    return this.#do(async () => {
      const place = this.#place(key, namesBelowRoot(path));
      const found = await statAt(place);
      return found && toEntry(place.names, found);
    });
  }

  open(key: StorageKey, path: string): Promise<OpenFile> {
    return this.#do(async () => {
      const place = this.#place(key, namesBelowRoot(path));
      const found = await statAt(place);
      if (found?.isFile() !== true) throw noFile(path);
      const handle = await open(diskPath(place), READ);
      const entry = toEntry(place.names, await handle.stat());
      if (entry.size > 0) return { ...entry, content: handle.createReadStream({ end: entry.size - 1 }) };
      await handle.close();
      return { ...entry, content: Readable.from([]) };
    });
  }

  write(
    key: StorageKey,
    path: string,
    content: AsyncIterable<Uint8Array>,
    replace: boolean,
  ): Promise<FileEntry> {
    return this.#do(async () => {
      const place = this.#place(key, namesBelowRoot(path));
      if (this.#isFull()) throw diskFull();
      return this.#places.use(async () => {
        const aside = await this.#newAside();
        try {
          const size = await writeAside(aside, limitedContent(content, this.#limits.fileBytes));
          return await this.#inTurn(key, (usage) => this.#commit({ place, aside, size, replace, usage }));
        } finally {
          await rm(aside, { force: true });
        }
      });
    });
  }

  makeFolder(key: StorageKey, path: string): Promise<void> {
    return this.#do(() => {
      const place = this.#place(key, namesBelowRoot(path));
      return this.#inTurn(key, async (usage) => {
        const found = await statAt(place);
        if (found?.isDirectory() === true) return;
        if (found !== undefined) throw inTheWay(path, 'is already there');
        this.#checkRoom(usage, 0, await missingAt(place));
        await this.#changing(key, () => makeFolders(place));
      });
    });
  }

  rename(key: StorageKey, from: string, to: string, replace: boolean): Promise<FileEntry> {
    return this.#do(() => {
      const source = this.#place(key, namesBelowRoot(from));
      const target = this.#place(key, namesBelowRoot(to));
      if (`${to}/`.startsWith(`${from}/`)) throw inTheWay(to, `cannot be the new path of ${from}`);
      return this.#inTurn(key, async (usage) => {
        const found = await statAt(source);
        if (found === undefined) throw noFile(from);
        checkFree(to, await statAt(target), replace && found.isFile());
        const below = found.isDirectory() ? await entriesIn(source, true) : [];
        for (const { path } of below) movedPath(path, from, to);
        this.#checkRoom(usage, 0, (await missingAt(target)) - 1);
        await this.#changing(key, () => this.#move(source, target));
        return toEntry(target.names, found);
      });
    });
  }

  remove(key: StorageKey, path: string, recursive: boolean): Promise<void> {
    return this.#do(() => {
      const place = this.#place(key, namesBelowRoot(path));
      return this.#inTurn(key, async () => {
        const found = await statAt(place);
        if (found === undefined) throw noFile(path);
        if (!recursive && found.isDirectory() && (await entriesIn(place, false)).length > 0) {
          throw inTheWay(path, 'is a folder that is not empty');
        }
        await this.#changing(key, () => this.#discard(diskPath(place)));
      });
    });
  }

  clear(key: StorageKey): Promise<void> {
    return this.#do(() => {
      const place = this.#place(key, []);
      return this.#turns.run(place.root, async () => {
        if ((await statAt(place)) === undefined) return;
        await this.#changing(key, () => this.#discard(place.root));
      });
    });
  }

  #place({ user, storage }: StorageKey, names: readonly string[]): Place {
    return { root: join(this.#folder, toFolderName(user), toFolderName(storage)), names };
  }

  async #do<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the storages are closed');
    const result = attempt(work);
    this.#underWay.add(result);
    try {
      return await result;
    } finally {
      this.#underWay.delete(result);
    }
  }

  /** Does something that no other change of the storage may come between. */
  #inTurn<Result>(key: StorageKey, work: (usage: Usage) => Promise<Result>): Promise<Result> {
    const { root } = this.#place(key, []);
    return this.#turns.run(root, async () => work(this.#usage.get(root) ?? (await this.#count(root))));
  }

  async #count(root: string): Promise<Usage> {
    const entries = await entriesIn({ root, names: [] }, true);
    const usage = { bytes: entries.reduce((sum, { size }) => sum + size, 0), entries: entries.length };
    this.#usage.set(root, usage);
    return usage;
  }

  /** Makes a change after which the storage has to be counted anew. */
  async #changing(key: StorageKey, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      this.#usage.delete(this.#place(key, []).root);
    }
  }

  /** Gives a file that was written aside its name. */
  async #commit({ place, aside, size, replace, usage }: Commit): Promise<FileEntry> {
    const { root, names } = place;
    const before = await statAt(place);
    checkFree(names.join('/'), before, replace);
    const more = { bytes: size - (before?.size ?? 0), entries: await missingAt(place) };
    this.#checkRoom(usage, more.bytes, more.entries);
    this.#usage.delete(root);
    const parent = { root, names: names.slice(0, -1) };
    await makeFolders(parent);
    await rename(aside, diskPath(place));
    await syncFolder(diskPath(parent));
    this.#usage.set(root, { bytes: usage.bytes + more.bytes, entries: usage.entries + more.entries });
    return { path: names.join('/'), type: 'file', size, modified: Date.now() };
  }

  /** What makes nothing more is always possible. */
  #checkRoom(usage: Usage, bytes: number, entries: number): void {
    const { storageBytes, storageEntries } = this.#limits;
    const fits = usage.bytes + bytes <= storageBytes && usage.entries + entries <= storageEntries;
    if (!fits && (bytes > 0 || entries > 0)) throw noRoom(this.#limits);
  }

  async #move(source: Place, target: Place): Promise<void> {
    await makeFolders({ root: target.root, names: target.names.slice(0, -1) });
    await this.#keepLeaving?.(diskPath(source));
    await rename(diskPath(source), diskPath(target));
    await syncFolder(dirname(diskPath(target)));
    await syncFolder(dirname(diskPath(source)));
  }

  async #discard(path: string): Promise<void> {
    await this.#keepLeaving?.(path);
    const aside = await this.#newAside();
    await rename(path, aside);
    await syncFolder(dirname(path));
    await rm(aside, { recursive: true, force: true });
  }

  /** A path for what is only there for a while. What an earlier process left is removed. */
  async #newAside(): Promise<string> {
    this.#aside ??= emptied(join(this.#folder, TEMPORARY)).catch((error: unknown) => {
      this.#aside = undefined;
      throw error;
    });
    return join(await this.#aside, randomUUID());
  }
}

/** A file that is to have its place. */
interface Commit {
  readonly place: Place;
  readonly aside: string;
  readonly size: number;
  readonly replace: boolean;
  readonly usage: Usage;
}

async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toFileError(error);
  }
}

function checkFree(path: string, found: Stats | undefined, replace: boolean): void {
  if (found?.isDirectory() === true) throw inTheWay(path, 'is a folder');
  if (found !== undefined && !replace) throw inTheWay(path, 'is already there');
}

async function writeAside(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await open(path, 'wx', PRIVATE_FILE);
  try {
    await handle.writeFile(content);
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function emptied(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await ensureFolder(folder);
  return folder;
}
