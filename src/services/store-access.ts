import type { IotmpServer } from '../broker/broker';
import { errorText, IotmpError, publicText, StorageError, type StorageFault } from '../errors';
import { openStore } from '../store/open-store';
import type { Store } from '../store/store';
import type { DeviceId } from '../types';
import { ByteBudget } from '../util/byte-budget';
import { deviceKey } from '../util/device-key';
import { detached, guarded } from '../util/guard';
import { DeviceTurns } from './device-turns';

/** Approximate memory of an operation that waits, beside the value that it writes, in bytes. */
const OPERATION_BYTES = 512;
/**
 * What the store has of one device at once: as much as makes a good transaction. What others ask of the store waits until
 * it is done.
 */
const AT_ONCE = { operations: 256, bytes: 524_288 };

/**
 * The store of a server's services, which may still be opening. Until it is open, operations wait in their order. If the
 * store cannot be opened, operations fail with a StorageError, which a device gets as ERROR 503. The rest of the server
 * goes on.
 *
 * When the store begins to fail, or fails for a new reason, the server publishes the event `storage_fault` with `reason`
 * and `error`. When the store works again, the server publishes `storage_recovered`. Both are also warnings.
 */
export class StoreAccess {
  readonly #server: IotmpServer;
  readonly #opening: Promise<Store>;
  readonly #isOwn: boolean;
  #store: Store | undefined;
  /** Why the store could not be opened. */
  #refusal: StorageError | undefined;
  #told: StorageFault | undefined;
  /** Bytes of values that wait to be written, by devices. */
  readonly #waiting: ByteBudget;
  readonly #turns = new DeviceTurns(AT_ONCE);
  readonly #onFault = (error: unknown): void => this.#server.warn(errorText(error));

  /** @param store is closed by the caller. By default, a store in memory, which ends with {@link close} */
  constructor(server: IotmpServer, store?: Store | Promise<Store>) {
    this.#server = server;
    this.#waiting = new ByteBudget(() => ({
      perOwner: server.limits.waitingWriteBytesPerDevice,
      total: server.limits.waitingWriteBytes,
    }));
    this.#isOwn = store === undefined;
    this.#opening = this.#open(store ?? openStore({ memory: true }));
    this.#opening.then(
      guarded('store opened', this.#onFault, (opened: Store) => {
        this.#store = opened;
      }),
      guarded('store unavailable', this.#onFault, (error: unknown) => {
        this.#refusal = StorageError.from(error, 'unavailable');
        this.#tell(this.#refusal);
      }),
    );
  }

  /** What is wrong with the store; undefined while all is well. */
  get fault(): StorageError | undefined {
    return this.#store === undefined ? this.#refusal : this.#store.fault;
  }

  /** Whether the store could not be opened. */
  get failed(): boolean {
    return this.#store === undefined && this.#told !== undefined;
  }

  /** Number of records in the store that were found and cannot be read. */
  get damagedRecords(): number {
    return this.#store?.damagedRecords ?? 0;
  }

  /** Uses the store, at once if it is open. Rejects if the store does. */
  use<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    const result = this.#store === undefined ? this.#opening.then(work) : work(this.#store);
    const watch = guarded('store asked', this.#onFault, () => this.#tell(this.#store?.fault));
    result.then(watch, watch);
    return result;
  }

  /**
   * Does work for a device when it is the device's turn, in the order of its requests. Rejects with IOTMP_ERR_BUSY (503)
   * when too much of the device waits: the device may come later.
   * @param bytes size of the value that is written
   */
  inTurn<Result>(device: DeviceId, bytes: number, work: () => Promise<Result>): Promise<Result> {
    const owner = deviceKey(device);
    const size = bytes + OPERATION_BYTES;
    if (!this.#waiting.take(owner, size)) {
      const text = 'too much of this device waits to be written';
      return Promise.reject(new IotmpError('IOTMP_ERR_BUSY', text));
    }
    const turn = this.#turns.begin(owner, size);
    const result = turn === undefined ? work() : turn.then(work);
    const end = guarded('turn of a device', this.#onFault, () => {
      this.#turns.end(owner, size);
      this.#waiting.change(owner, -size);
    });
    // Beside the result, which is not to come later for it.
    result.then(end, end);
    return result;
  }

  /** Resolves when all operations so far are done or have failed. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#opening]);
  }

  /** Releases the store. Earlier operations are still done. */
  close(): void {
    if (this.#isOwn)
      detached(
        'store closed',
        this.#onFault,
        this.use((store) => store.close()),
      );
  }

  async #open(store: Store | Promise<Store>): Promise<Store> {
    try {
      return await store;
    } catch (error) {
      throw StorageError.from(error, 'unavailable');
    }
  }

  /** Publishes a fault, unless it is the same fault again. */
  #tell(fault: StorageError | undefined): void {
    if (this.failed || fault?.reason === this.#told) return;
    this.#told = fault?.reason;
    const { events, defaultUser: user } = this.#server;
    const about = { user, ts: Date.now() };
    if (fault === undefined) {
      events.publish({ event: 'storage_recovered', ...about });
      this.#server.warn('the store works again');
    } else {
      events.publish({ event: 'storage_fault', ...about, reason: fault.reason, error: publicText(fault) });
      this.#server.warn(`the store fails: ${fault.message}`, fault);
    }
  }
}
