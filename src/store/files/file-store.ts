import type { Readable } from 'node:stream';

/** Files that belong together: a tree of folders of its own. */
export interface StorageKey {
  readonly user: string;
  readonly storage: string;
}

/** A file or folder of a storage. */
export interface FileEntry {
  /** From the root of the storage, without a leading slash: `logs/today.txt`. */
  readonly path: string;
  readonly type: 'file' | 'directory';
  /** In bytes; 0 for a folder. */
  readonly size: number;
  /** When it was last written, in ms since 1970. */
  readonly modified: number;
}

/** A file as it is when it is opened, whatever becomes of it meanwhile. */
export interface OpenFile extends FileEntry {
  /** Whoever opens a file reads this to its end or destroys it. */
  readonly content: Readable;
}

/** How much is taken. What goes past a limit is refused, and changes nothing. */
export interface FileLimits {
  /** Largest file, in bytes. */
  readonly fileBytes: number;
  /** Bytes of all files of a storage. */
  readonly storageBytes: number;
  /** Files and folders of a storage. */
  readonly storageEntries: number;
}

/**
 * Files that programs keep. What is answered is durable, where the files are on a disk, and a file is there as a whole or
 * not at all. Paths are checked: nothing leads out of a storage.
 *
 * Everything here rejects with an IotmpError: `IOTMP_ERR_CONFIG` for a path that is not usable, `IOTMP_ERR_NOT_FOUND` where
 * there is nothing, `IOTMP_ERR_CONFLICT` where something else is in the way, and a `StorageError` when the disk fails.
 */
export interface FileStore {
  /** Has to be called first. Removes what was left behind by processes that live no more. */
  start(): Promise<void>;

  /** What is below a folder, in the order of paths; '' is the whole storage. A storage without files is empty. */
  list(key: StorageKey, path: string, recursive: boolean): Promise<FileEntry[]>;

  /** A file or folder, or undefined. */
  find(key: StorageKey, path: string): Promise<FileEntry | undefined>;

  /** Opens a file. */
  open(key: StorageKey, path: string): Promise<OpenFile>;

  /**
   * Writes a file, and the folders that it needs. Without `replace` there must be none yet. Also rejects with
   * `IOTMP_ERR_TOO_LARGE`, with `IOTMP_ERR_QUOTA` when the storage has no room, with `IOTMP_ERR_BUSY` when too much is
   * being written, and as `content` does.
   */
  write(
    key: StorageKey,
    path: string,
    content: AsyncIterable<Uint8Array>,
    replace: boolean,
  ): Promise<FileEntry>;

  /** Makes a folder, and those that it needs. One that is there already stays as it is. */
  makeFolder(key: StorageKey, path: string): Promise<void>;

  /** Gives a file or folder another path. Only with `replace`, and only a file, may take the place of a file. */
  rename(key: StorageKey, from: string, to: string, replace: boolean): Promise<FileEntry>;

  /** Removes a file or folder; one that is not empty only with `recursive`. */
  remove(key: StorageKey, path: string, recursive: boolean): Promise<void>;

  /** Removes all of a storage, if it has anything. */
  clear(key: StorageKey): Promise<void>;

  /** Ends what is under way and takes nothing more. Files that are not to be kept are removed. */
  close(): Promise<void>;
}
