import {
  AuditLog,
  Backups,
  DiskFiles,
  errorText,
  gatewayLimits,
  hostOf,
  detached,
  Directory,
  IotmpServer,
  networkOf,
  openStore,
  SafeEmitter,
  ServerServices,
  StorageError,
  type DeviceId,
  type DeviceTraits,
  type ProvisionedDevice,
  type ServerOptions,
  type Store,
  type StoreOptions,
} from '../../../src';
import { deployChanges, deployedSettings, type DeployedSettings } from './deploy-changes';
import { filesFolder } from './storage-settings';

/** What a hosted server tells. */
interface HostedServerEvents {
  /** The store began to fail, fails for another reason, or (`undefined`) works again. */
  store: [fault: StorageError | undefined];
}

/** Time after which a store that cannot be opened is tried again, in ms. */
const REOPEN_AFTER_MS = 2000;
/** Time to wait for a server before this one, which may still be letting go of the file, in ms. */
const BUSY_TIMEOUT_MS = 1000;

/**
 * What a server node runs: a server, the services that it offers, and the store behind them. They are made together,
 * live on over deploys together, and end together. A store that fails takes nothing else with it.
 */
export class HostedServer extends SafeEmitter<HostedServerEvents> {
  readonly server: IotmpServer;
  readonly services: ServerServices;
  /** The users and devices beside the devices in the settings, whether the API is served or not. */
  readonly directory: Directory;
  /** Where the store is kept; `undefined` is in memory. */
  readonly file: string | undefined;
  /** The store of the services; rejects where Node.js has no SQLite. */
  readonly store: Promise<Store>;
  /** The files of storages, beside the file of the store; undefined where the store is in memory. */
  readonly files: DiskFiles | undefined;
  readonly backups: Backups;
  readonly audit: AuditLog;
  #fault: StorageError | undefined;
  #closing: Promise<void> | undefined;
  #letIn: (() => void) | undefined;
  /** What the last deploy has decided, which the next one is compared with. */
  #deployed: DeployedSettings;

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
    this.store = this.#open(open);
    const { store } = this;
    this.files =
      file === undefined
        ? undefined
        : new DiskFiles(
            filesFolder(file),
            gatewayLimits(),
            () => this.services.storeFault?.reason === 'full',
          );
    const warn = (text: string): void => this.server.warn(text);
    this.audit = new AuditLog({ store, events: this.server.events, warn });
    this.backups = new Backups({ store, file, files: this.files });
    this.directory = new Directory(this.server, { store });
    const traitsOf = (id: DeviceId): DeviceTraits | undefined => this.directory.traitsOf(id);
    this.services = new ServerServices(this.server, { store, traitsOf });
    this.directory.on('provisioned', (device) => this.#auditProvisioned(device));
    this.directory.on('traitsChanged', (id) => this.services.rights.review(id));
    this.#deployed = deployedSettings(options, this.services.rights.rules);
  }

  /** Whether the server was started and not closed. */
  get running(): boolean {
    return this.server.running;
  }

  /** What is wrong with the store: the services that need it fail. */
  get fault(): StorageError | undefined {
    return this.#fault;
  }

  /**
   * Opens the listeners, see {@link IotmpServer.start}. Logins wait until the directory is read. A server that was closed
   * stays so.
   */
  async start(): Promise<void> {
    if (this.#closing !== undefined) return;
    const letIn = this.server.holdLogins();
    detached('directory read', (error) => this.#warn(error), this.readDirectory().then(letIn));
    this.#deployed = { ...this.#deployed, rules: this.services.rights.rules };
    await this.server.start();
  }

  /**
   * Reads the directory, unless it is read. Without it, the server lets in the devices in the settings only. A fault of the
   * store is told as such. Never rejects.
   */
  async readDirectory(): Promise<void> {
    try {
      await this.directory.start();
    } catch (error) {
      if (!(error instanceof StorageError)) this.#warn(error);
    }
  }

  /** Has logins wait until new options are taken over, because they will say who may log in. Idempotent. */
  holdLogins(): void {
    this.#letIn ??= this.server.holdLogins();
  }

  /** Takes over new options, see {@link IotmpServer.configure}. What a deploy has changed is in the audit log. */
  async configure(options: ServerOptions): Promise<void> {
    try {
      await this.server.configure(options);
    } finally {
      this.#letIn?.();
      this.#letIn = undefined;
    }
    const before = this.#deployed;
    this.#deployed = deployedSettings(options, this.services.rights.rules);
    for (const entry of deployChanges(before, this.#deployed)) await this.audit.record(entry);
  }

  /** Ends everything; resolves when what was asked of the store is in its file, and the file is let go. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.services.close();
    await this.backups.close();
    try {
      await this.server.close();
    } finally {
      await Promise.all([this.services.settled(), this.directory.close(), this.files?.close()]);
      // A store that could not be opened was told of as a fault.
      const store = await this.store.catch(() => undefined);
      await store?.close();
    }
  }

  async #open(open: (options: StoreOptions) => Promise<Store>): Promise<Store> {
    const options = {
      reopenAfterMs: REOPEN_AFTER_MS,
      onFault: (fault: StorageError) => this.#setFault(fault),
      onRecovered: () => this.#setFault(undefined),
      onWarning: (text: string) => this.server.warn(`storage: ${text}`),
    };
    const { file } = this;
    try {
      if (file === undefined) return await open({ ...options, memory: true });
      return await open({ ...options, file, busyTimeoutMs: BUSY_TIMEOUT_MS, ownFolder: true });
    } catch (error) {
      const fault = StorageError.from(error, 'failed');
      this.#setFault(fault);
      throw fault;
    }
  }

  #setFault(fault: StorageError | undefined): void {
    this.#fault = fault;
    this.tell('store', fault);
    // A directory that could not be read at the start can be now.
    if (fault !== undefined) return;
    detached('directory read', (error) => this.#warn(error), this.readDirectory());
    detached('directory written', (error) => this.#warn(error), this.directory.handleRecovery());
  }

  #auditProvisioned({ user, device, address, isReplacement }: ProvisionedDevice): void {
    const action = isReplacement ? 'ReplaceDeviceByLogin' : 'RegisterDeviceByLogin';
    const target = `${user}/${device}`;
    const entry = {
      actor: 'server',
      by: user,
      action,
      target,
      status: 200,
      address: networkOf(hostOf(address)),
    } as const;
    detached('registration audited', (error) => this.#warn(error), this.audit.record(entry));
  }

  #warn(error: unknown): void {
    this.server.warn(`the directory: ${errorText(error)}`);
  }

  protected override handleListenerFault(name: string, error: unknown): void {
    this.server.warn(`a listener of ${name} failed: ${errorText(error)}`);
  }
}
