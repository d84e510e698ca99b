import type { StorageError } from '../errors';
import type { StoreLimits } from './store-limits';

/** What all stores have in common. */
interface CommonOptions {
  /** Limits in place of the usual ones. */
  readonly limits?: Partial<StoreLimits>;
  /** The time, in ms since 1970; the time of the machine unless given. */
  readonly now?: () => number;
  /**
   * Time after which the store is opened again where it could not be opened, or where the thread died that had it open, in
   * ms. It is meant for stores that come with a server. Unless given, each of the two is the end of the store. What was
   * kept in memory is lost with its thread.
   */
  readonly reopenAfterMs?: number;
  /** Called when the store begins to fail, and when it fails for another reason. It must not throw. */
  readonly onFault?: (fault: StorageError) => void;
  /** Gets what a person should know, such as the name of a record that cannot be read. It must not throw. */
  readonly onWarning?: (text: string) => void;
  /** Called when the store works again: it was opened, or something was written. It must not throw. */
  readonly onRecovered?: () => void;
}

/** A store in the memory of the process: everything is gone when it is closed. */
export interface MemoryStoreOptions extends CommonOptions {
  readonly memory: true;
}

/** A store in one file (and, while it is open, a log beside it). No other process can use the file meanwhile. */
export interface FileStoreOptions extends CommonOptions {
  /** Path of the file. The file and its folder are made where they are missing, for the eyes of this user only. */
  readonly file: string;
  /** Time to wait for another process to let go of the file, in ms; 5,000 unless given. */
  readonly busyTimeoutMs?: number;
  /**
   * Size of a file beside the store that is given up when the disk is full, so that removals can still be written, and made
   * again when there is room; 0 for none. 4 MiB unless given, and none with `maxFileSize`.
   */
  readonly reserveBytes?: number;
  /** Whether the folder of the file is for this store and its like alone: then others lose their rights to it, too. */
  readonly ownFolder?: boolean;
  /** Maximum size of the file, in bytes. What would make it larger fails as on a full disk. No limit unless given. */
  readonly maxFileSize?: number;
}

/** Where and how things are kept. */
export type StoreOptions = MemoryStoreOptions | FileStoreOptions;
