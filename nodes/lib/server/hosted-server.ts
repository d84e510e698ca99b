import {
  IotmpServer,
  openStore,
  SafeEmitter,
  ServerServices,
  StorageError,
  type ServerOptions,
  type Store,
  type StoreOptions,
} from '../../../src';
import { nodeError } from '../red/node-error';

/** What a hosted server tells. */
interface HostedServerEvents {
  /** The store began to fail, fails for another reason, or (`undefined`) works again. */
  store: [fault: StorageError | undefined];
}

/** A file that cannot be opened is tried again after this time. */
const REOPEN_AFTER_MS = 2000;
/** How long to wait for a server before, which may still be letting go of the file. */
const BUSY_TIMEOUT_MS = 1000;

/**
 * What a server node runs: a server, the services that it offers, and the store behind them. They are made together,
 * live on over deploys together, and end together. A store that fails takes nothing else with it.
 */
export class HostedServer extends SafeEmitter<HostedServerEvents> {
  readonly server: IotmpServer;
  readonly services: ServerServices;
  /** Where the store is kept; `undefined` is in memory. */
  readonly file: string | undefined;
  /** Where the services keep things; rejects where it cannot be opened. */
  readonly store: Promise<Store>;
  #fault: StorageError | undefined;
  #closing: Promise<void> | undefined;
  #letIn: (() => void) | undefined;

  /**
   * Opens the store, and no port yet.
   * @param open opens a store, perhaps later
   * @throws IotmpError IOTMP_ERR_CONFIG
   */
  constructor(
    options: ServerOptions,
    file: string | undefined,
    open: (options: StoreOptions) => Promise<Store> = openStore,
  ) {
    super();
    this.file = file;
    this.server = new IotmpServer(options);
    this.store = file === undefined ? open({ memory: true }) : this.#openFile(file, open);
    this.services = new ServerServices(this.server, { store: this.store });
  }

  /** Whether the server was started and not closed. */
  get running(): boolean {
    return this.server.running;
  }

  /** What is wrong with the store. With `unsupported` it is in memory; with all else the services that need it fail. */
  get fault(): StorageError | undefined {
    return this.#fault;
  }

  /** Opens the listeners, see {@link IotmpServer.start}. One that was closed stays so. */
  async start(): Promise<void> {
    if (this.#closing === undefined) await this.server.start();
  }

  /** Has logins wait until new options are taken over, because they will say who may log in. Idempotent. */
  holdLogins(): void {
    this.#letIn ??= this.server.holdLogins();
  }

  /** Takes over new options, see {@link IotmpServer.configure}. */
  async configure(options: ServerOptions): Promise<void> {
    try {
      await this.server.configure(options);
    } finally {
      this.#letIn?.();
      this.#letIn = undefined;
    }
  }

  /** Ends everything; resolves when what was asked of the store is in its file, and the file is let go. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.services.close();
    try {
      await this.server.close();
    } finally {
      await this.services.settled();
      await (await this.store).close();
    }
  }

  async #openFile(file: string, open: (options: StoreOptions) => Promise<Store>): Promise<Store> {
    try {
      return await open({
        file,
        busyTimeoutMs: BUSY_TIMEOUT_MS,
        reopenAfterMs: REOPEN_AFTER_MS,
        onFault: (fault) => this.#setFault(fault),
        onRecovered: () => this.#setFault(undefined),
      });
    } catch (error) {
      this.#setFault(StorageError.from(error, 'failed'));
      return open({ memory: true });
    }
  }

  #setFault(fault: StorageError | undefined): void {
    this.#fault = fault;
    this.tell('store', fault);
  }

  protected override handleListenerFault(name: string, error: unknown): void {
    this.server.warn(`a listener of ${name} failed: ${nodeError(error).message}`);
  }
}
