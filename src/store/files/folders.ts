import type { Stats } from 'node:fs';
import { lstat, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makePrivate, PRIVATE_FOLDER } from '../private-mode';
import { isAbsent, inTheWay } from './file-errors';
import { fromDiskName, toDiskName } from './file-path';
import type { FileEntry } from './file-store';

/** The root of a tree of files, and names below it. */
export interface Place {
  readonly root: string;
  readonly names: readonly string[];
}

/** The path on the disk. */
export function diskPath({ root, names }: Place): string {
  return join(root, ...names.map(toDiskName));
}

/** What is at a place: a file or folder; never anything that a link leads to, nor a device or pipe. */
export async function statAt({ root, names }: Place): Promise<Stats | undefined> {
  let path = root;
  let found = await existing(path);
  for (const name of names) {
    if (found?.isDirectory() !== true) return undefined;
    path = join(path, toDiskName(name));
    found = await existing(path);
  }
  return found?.isDirectory() === true || found?.isFile() === true ? found : undefined;
}

/**
 * Makes a folder, and those that lead to it from the root on; they are there after a loss of power, too.
 * @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT where a file is in the way
 */
export async function makeFolders({ root, names }: Place): Promise<void> {
  await ensureFolder(dirname(root));
  let path = root;
  for (const [depth, name] of ['', ...names].entries()) {
    path = join(path, toDiskName(name));
    const found = await existing(path);
    if (found === undefined) {
      await mkdir(path, PRIVATE_FOLDER);
      await syncFolder(dirname(path));
    } else if (!found.isDirectory()) {
      throw inTheWay(names.slice(0, depth).join('/'), 'is a file, and not a folder');
    }
  }
}

/** Makes a folder of our own, wherever it is. */
export async function ensureFolder(path: string): Promise<void> {
  if ((await existing(path)) !== undefined) return;
  await ensureFolder(dirname(path));
  // Somebody else may make it at the same time.
  await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  await syncFolder(dirname(path));
}

/**
 * Takes the rights to a folder and all that is in it away from others, the folder first: from then on nobody else gets to what
 * is in it. Links are left alone.
 */
export async function makeTreePrivate(path: string, isEnough: () => boolean): Promise<void> {
  if (isEnough() || (await existing(path)) === undefined) return;
  makePrivate(path);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await makeTreePrivate(below, isEnough);
    else if (entry.isFile()) makePrivate(below);
  }
}

/** How many files and folders along a place are not there yet. */
export async function missingAt({ root, names }: Place): Promise<number> {
  for (let depth = names.length; depth > 0; depth--) {
    if ((await statAt({ root, names: names.slice(0, depth) })) !== undefined) return names.length - depth;
  }
  return names.length;
}

/** Has what was made, renamed or removed in a folder on the disk. */
export async function syncFolder(path: string): Promise<void> {
  // There folders cannot be opened, and are written with their files.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What is in a folder, and in those below it if that is wanted. Links and whatever has no name here are left out. */
export async function entriesIn(place: Place, recursive: boolean): Promise<FileEntry[]> {
  const names = await namesIn(diskPath(place));
  const found = await Promise.all(names.map((name) => entriesAt(place, name, recursive)));
  return found.flat();
}

/** How a file or folder looks from outside. */
export function toEntry(names: readonly string[], stats: Stats): FileEntry {
  const isFolder = stats.isDirectory();
  return {
    path: names.join('/'),
    type: isFolder ? 'directory' : 'file',
    size: isFolder ? 0 : stats.size,
    modified: Math.floor(stats.mtimeMs),
  };
}

async function entriesAt({ root, names }: Place, name: string, recursive: boolean): Promise<FileEntry[]> {
  const place = { root, names: [...names, name] };
  const stats = await existing(diskPath(place));
  if (stats === undefined || !(stats.isFile() || stats.isDirectory())) return [];
  const entry = toEntry(place.names, stats);
  return recursive && stats.isDirectory() ? [entry, ...(await entriesIn(place, true))] : [entry];
}

async function namesIn(path: string): Promise<string[]> {
  try {
    const written = await readdir(path);
    return written.map(fromDiskName).filter((name) => name !== undefined);
  } catch (error) {
    // It was removed meanwhile.
    if (isAbsent(error)) return [];
    throw error;
  }
}

async function existing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
