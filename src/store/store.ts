import type { StorageError } from '../errors';
import type { BucketStore } from './bucket-store';
import type { DocumentStore } from './document-store';
import type { PropertyStore } from './property-store';
import type { RetainedStore } from './retained-store';

/**
 * Where a server keeps what devices and programs give it. What is answered is durable: a store in a file has it on
 * the disk when the promise of a write resolves.
 *
 * Everything here rejects with an IotmpError: `IOTMP_ERR_CONFIG` for arguments that are not usable, `IOTMP_ERR_BUSY` when
 * too much waits already, `IOTMP_ERR_CLOSED` after {@link Store.close}, and a `StorageError` when the file fails.
 */
export interface Store {
  /** Where things are kept: in a file, or in the memory of this process only. */
  readonly kind: 'file' | 'memory';
  readonly properties: PropertyStore;
  readonly buckets: BucketStore;
  readonly retained: RetainedStore;
  readonly documents: DocumentStore;
  /** What is wrong since the last write or read that failed; undefined while all is well. */
  readonly fault: StorageError | undefined;

  /** Number of records that were found and cannot be read; they are left out, and stay in the file. */
  readonly damagedRecords: number;

  /**
   * Reads all of the file and looks for damage; the answer is a list of what was found, empty for a sound file. Other
   * work waits meanwhile: about a second for each 100 MB.
   */
  check(): Promise<readonly string[]>;

  /**
   * Copies the store into a new file, as it is at one moment: all that was answered before the call is in it. Reads and writes go on
   * meanwhile. Rejects with `IOTMP_ERR_CONFLICT` for a store in memory, and with `IOTMP_ERR_ABORTED`.
   */
  copyTo(file: string, signal?: AbortSignal): Promise<void>;

  /** Ends what was asked for before, brings the file into order and lets go of it. May be called again. */
  close(): Promise<void>;
}
