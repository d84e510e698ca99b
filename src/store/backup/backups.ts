import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { IotmpError, StorageError } from '../../errors';
import type { DiskFiles } from '../files/disk-files';
import { isAbsent, toFileError } from '../files/file-errors';
import { ensureFolder, syncFolder } from '../files/folders';
import type { Store } from '../store';

/** What backups are made of, and where they go. */
export interface BackupsOptions {
  readonly store: Store | Promise<Store>;
  /** The file of the store; undefined for a store in memory, of which there are no backups. */
  readonly file: string | undefined;
  /** The files of storages. */
  readonly files?: Pick<DiskFiles, 'copyAround'> | undefined;
  /** Where backups go; by default `<file>.backups`, with the ending `.db` of the file left out. */
  readonly folder?: string;
  /** How many backups stay, the newest; 5 unless given. */
  readonly keep?: number;
  /** Bytes that are free on the disk of a folder; those of the system unless given. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** A backup that was made. */
export interface BackupReport {
  /** Its name: the time when it was begun, in UTC. */
  readonly backup: string;
  /** Its folder. */
  readonly path: string;
  /** Bytes of its database and files. */
  readonly bytes: number;
  readonly durationMs: number;
}

const KEPT = 5;
/** What has to stay free, in bytes, as the store goes on writing. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/;
const PART = '.part';

/**
 * Backups of a store and its files, made while both are in use. Each is a folder with a copy of the database and of the files
 * under the names that they have in use. It has its name when it is whole and on the disk.
 */
export class Backups {
  readonly #options: BackupsOptions;
  readonly #closing = new AbortController();
  #running: Promise<BackupReport> | undefined;

  constructor(options: BackupsOptions) {
    this.#options = options;
  }

  /**
   * Makes a backup, and removes those past the number that stays. Everything that was kept before the call is in it.
   * @throws IotmpError (as a rejection) IOTMP_ERR_CONFLICT while another one is made, and for a store in memory; a StorageError,
   * of status 507 where there is no room: nothing is left of the backup then
   */
  async make(): Promise<BackupReport> {
    const { file } = this.#options;
    if (this.#closing.signal.aborted) throw new IotmpError('IOTMP_ERR_CLOSED', 'the server ends');
    if (file === undefined) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', 'the storage is in memory: there is nothing to back up');
    }
    if (this.#running !== undefined) throw new IotmpError('IOTMP_ERR_CONFLICT', 'a backup is being made');
    this.#running = this.#make(file);
    try {
      return await this.#running;
    } catch (error) {
      throw toFileError(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** Gives up a backup that is being made; resolves when nothing of it is left. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([this.#running]);
  }

  async #make(file: string): Promise<BackupReport> {
    const startedAt = performance.now();
    const folder = this.#options.folder ?? `${file.replace(/\.db$/, '')}.backups`;
    await ensureFolder(folder);
    await removeUnfinished(folder);
    await this.#checkRoom(file, folder);
    const backup = new Date().toISOString().replaceAll(':', '-');
    const path = join(folder, backup);
    const part = `${path}${PART}`;
    try {
      await this.#copy(file, part);
      const bytes = await bytesIn(part);
      await syncFolder(part);
      await rename(part, path);
      await syncFolder(folder);
      await this.#dropOldest(folder);
      return { backup, path, bytes, durationMs: Math.round(performance.now() - startedAt) };
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      throw error;
    }
  }

  async #copy(file: string, part: string): Promise<void> {
    const { store, files } = this.#options;
    const database = join(part, basename(file));
    await mkdir(part, { mode: 0o700 });
    const copyStore = async (): Promise<void> => (await store).copyTo(database, this.#closing.signal);
    if (files === undefined) await copyStore();
    else await files.copyAround(`${database.replace(/\.db$/, '')}.files`, copyStore);
  }

  /** A backup must not take the room that the store itself needs. */
  async #checkRoom(file: string, folder: string): Promise<void> {
    const needed = (await sizeOf(file)) + (await sizeOf(`${file}-wal`)) + RESERVE_BYTES;
    const { freeBytes = freeBytesOf } = this.#options;
    if ((await freeBytes(folder)) >= needed) return;
    throw new StorageError('full', `${folder}: a backup takes ${needed} bytes, which are not free`);
  }

  async #dropOldest(folder: string): Promise<void> {
    const { keep = KEPT } = this.#options;
    const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
    for (const name of names.slice(0, -keep)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** What a process left that ended in the middle of a backup. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(PART) || !NAME.test(name.slice(0, -PART.length))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw error;
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += await sizeOf(join(entry.parentPath, entry.name));
  }
  return bytes;
}
