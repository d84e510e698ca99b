import type { IotmpServer } from '../broker/broker';
import { errorText, publicText, StorageError, type StorageFault } from '../errors';
import { openStore } from '../store/open-store';
import type { Store } from '../store/store';
import { detached, guarded } from '../util/guard';

/**
 * The store of a server's services, which may still be opening: what is asked of it waits for that, in its order. Where
 * it cannot be opened, everything that needs it fails with a StorageError, which a device gets as ERROR 503, and the rest
 * of the server goes on.
 *
 * When the store begins to fail, or fails for another reason, that is an event of the server, `storage_fault` with
 * `reason` and `error`; when it works again, `storage_recovered`. Both are warnings of the server, too.
 */
export class StoreAccess {
  readonly #server: IotmpServer;
  readonly #opening: Promise<Store>;
  readonly #isOwn: boolean;
  #store: Store | undefined;
  #told: StorageFault | undefined;
  readonly #onFault = (error: unknown): void => this.#server.warn(errorText(error));

  /** @param store stays its owner's; without it there is one in memory, that ends with {@link close} */
  constructor(server: IotmpServer, store?: Store | Promise<Store>) {
    this.#server = server;
    this.#isOwn = store === undefined;
    this.#opening = this.#open(store ?? openStore({ memory: true }));
    this.#opening.then(
      guarded('store opened', this.#onFault, (opened: Store) => {
        this.#store = opened;
      }),
      guarded('store unavailable', this.#onFault, (error: unknown) =>
        this.#tell(StorageError.from(error, 'unavailable')),
      ),
    );
  }

  /** Whether the store could not be opened, and so never works. */
  get failed(): boolean {
    return this.#store === undefined && this.#told !== undefined;
  }

  /** Asks something of the store: at once if it is open. Rejects as the store does. */
  use<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    const result = this.#store === undefined ? this.#opening.then(work) : work(this.#store);
    const watch = guarded('store asked', this.#onFault, () => this.#tell(this.#store?.fault));
    result.then(watch, watch);
    return result;
  }

  /** Resolves when all that was asked so far has reached the store, or never will. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#opening]);
  }

  /** Lets go of the store. What was asked of it before is still done. */
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

  /** The same fault again is no news. */
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
