import type { IotmpServer } from '../broker/broker';
import type { ConnectedDevice } from '../broker/connected-device';
import type { DeviceDirectory } from '../broker/directory-authenticator';
import { errorText, IotmpError } from '../errors';
import { NO_TRAITS, type DeviceTraits } from '../rights/device-rule';
import type { Store } from '../store/store';
import type { DeviceId } from '../types';
import { systemClock, type Clock } from '../util/clock';
import { detached } from '../util/guard';
import { SafeEmitter } from '../util/safe-emitter';
import { assetsIn, type Assets } from './asset-records';
import { DeviceAccounts } from './device-accounts';
import { LastSeen } from './last-seen';
import { Provisioning, type ProvisionedDevice } from './provisioning/provisioning';
import { loadAll, type Documents, type Keeper } from './records';
import { Revocations } from './revocations';
import { Rotations } from './rotations';
import { UserAccounts } from './user-accounts';

/** Options of a {@link Directory}. */
export interface DirectoryOptions {
  /** Where the records are kept: a store, or a store that is being opened. It is closed by its owner. */
  readonly store: Store | Promise<Store>;
  readonly clock?: Clock | undefined;
  /** The time, in ms since 1970; that of the machine unless given. */
  readonly now?: (() => number) | undefined;
  /** Something that deserves a line in a log. By default, a warning of the server. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** What a directory tells. */
interface DirectoryEvents {
  /** A user was changed or removed: rights may be lost. */
  userChanged: [user: string];
  /** A device was removed or locked out, or has another credential. Its connection ends. */
  deviceCutOff: [id: DeviceId];
  /** A device may have other traits; `undefined` stands for all devices. */
  traitsChanged: [id: DeviceId | undefined];
  /** A device was registered by its login. */
  provisioned: [device: ProvisionedDevice];
  /** A device has logged in with its next credential, which is its only one now. */
  credentialRotated: [id: DeviceId];
}

/**
 * The users, devices and other assets that a server knows beside the devices in its settings. Its devices may connect
 * once {@link start} has read the records. A device that the settings of the server name as well is decided by the settings.
 */
export class Directory extends SafeEmitter<DirectoryEvents> {
  readonly users: UserAccounts;
  readonly devices: DeviceAccounts;
  readonly assets: Assets;
  readonly lastSeen: LastSeen;
  /** Registers devices by their logins. */
  readonly provisioning: Provisioning;
  /** The documents that the records are in, and other records beside them. */
  readonly documents: Documents;
  /** Rights that were taken away, but are still in the store. */
  readonly revocations: Revocations;
  readonly #rotations: Rotations;
  readonly #store: Store | Promise<Store>;
  readonly #server: IotmpServer;
  readonly #warn: (text: string) => void;
  readonly #ends: (() => void)[] = [];
  #started: Promise<void> | undefined;
  #closed = false;
  #isRead = false;

  constructor(
    server: IotmpServer,
    { store, clock = systemClock, now = Date.now, onWarning }: DirectoryOptions,
  ) {
    super();
    this.#server = server;
    this.#warn = onWarning ?? ((text) => server.warn(text));
    const documents = documentsOf(store);
    this.documents = documents;
    this.#store = store;
    this.revocations = new Revocations({ clock, onWarning: this.#warn });
    this.users = new UserAccounts(documents, this.revocations, (user) => this.#handleUserChange(user));
    this.devices = new DeviceAccounts(documents, this.revocations, {
      isLockedOut: (user) => this.users.isLockedOut(user),
      onCutOff: (id) => this.#cutOff(id),
      onChange: (id) => this.tell('traitsChanged', id),
      onRotated: (id) => this.#handleRotated(id),
      onRemove: ({ user, device, provisioning: pattern }) =>
        pattern === undefined ? undefined : this.provisioning.patterns.noteRemoved(user, pattern, device),
    });
    this.provisioning = new Provisioning({
      documents,
      revocations: this.revocations,
      devices: this.devices,
      clock,
      now,
      isRead: () => this.#isRead,
      isInSettings: (id) => server.isRegistered(id),
      onProvisioned: (device) => this.#handleProvisioned(device),
    });
    this.#rotations = new Rotations({
      documents,
      revocations: this.revocations,
      isRead: () => this.#isRead,
      onRotated: (id) => this.#handleRotated(id),
    });
    this.assets = assetsIn(documents);
    this.lastSeen = new LastSeen({
      documents,
      clock,
      isKept: (id) => this.devices.has(id) || server.isRegistered(id),
      onWarning: this.#warn,
    });
    this.#ends.push(server.addDirectory(this.#asDeviceDirectory()), this.#watchDevices());
  }

  /** Whether the records were read. Until then nobody gets in without a credential of the server's settings. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Number of documents that are no usable records: nobody gets in by them, and nothing takes their place. */
  get unusable(): number {
    return this.#kept.reduce((sum, kept) => sum + kept.unusable, 0);
  }

  /**
   * Reads all records. A read that has failed is made again by the next call.
   * @throws what the store throws (as a rejection)
   */
  start(): Promise<void> {
    this.#started ??= this.#read().catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  /** What the directory knows of a device beside its name; `undefined` while its record is not read, or cannot be read. */
  traitsOf(id: DeviceId): DeviceTraits | undefined {
    if (!this.#isRead) return undefined;
    const record = this.devices.get(id);
    if (record === undefined) return this.devices.has(id) ? undefined : NO_TRAITS;
    const { asset_type: type, asset_group: group, product } = record;
    return { type, group, product };
  }

  /**
   * Where the records are kept: those in memory last until the server is restarted.
   * @throws what the store throws (as a rejection)
   */
  async storage(): Promise<Store['kind']> {
    return (await this.#store).kind;
  }

  /** Has what waits for the store written now, as when the store works again. Never rejects. */
  handleRecovery(): Promise<void> {
    return this.revocations.retry();
  }

  /** Knows no devices any more. Resolves when all changes are kept or have failed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#ends.splice(0)) end();
    await Promise.all(this.#kept.map((kept) => kept.settled()));
    await this.revocations.close();
  }

  get #kept(): readonly Keeper[] {
    return [
      this.users.kept,
      this.devices.kept,
      this.provisioning.patterns.kept,
      this.#rotations.kept,
      ...Object.values(this.assets).map(({ kept }) => kept),
      this.lastSeen,
    ];
  }

  async #read(): Promise<void> {
    await loadAll(this.#kept, this.#warn);
    this.#isRead = !this.#closed;
    if (this.#isRead) this.#rotations.handleRead();
    this.tell('traitsChanged', undefined);
  }

  #handleUserChange(user: string): void {
    this.tell('userChanged', user);
    if (!this.users.isLockedOut(user)) return;
    for (const id of this.devices.list(user)) this.#cutOff(id);
  }

  /** Whoever would not be let in any more is not kept, either. About the devices of the settings, those decide. */
  #cutOff({ user, device }: DeviceId): void {
    const id = { user, device };
    if (this.#server.isRegistered(id)) return;
    this.tell('deviceCutOff', id);
    this.#server.device(id)?.close(new IotmpError('IOTMP_ERR_AUTH', 'the device has to log in again'));
  }

  #handleProvisioned(provisioned: ProvisionedDevice): void {
    const { user, device, address, pattern = '', isReplacement } = provisioned;
    const ts = Date.now();
    const { events } = this.#server;
    if (!isReplacement)
      events.publish({ event: 'device_create', user, device, ts, type: 'Generic', name: device });
    events.publish({
      event: 'device_provision',
      user,
      device,
      ts,
      address,
      pattern,
      replacement: isReplacement,
    });
    this.tell('provisioned', provisioned);
  }

  #handleRotated({ user, device }: DeviceId): void {
    this.#server.events.publish({ event: 'device_credential_rotate', user, device, ts: Date.now() });
    this.tell('credentialRotated', { user, device });
  }

  #asDeviceDirectory(): DeviceDirectory {
    return {
      isRead: () => this.#isRead,
      has: (id: DeviceId) => this.devices.has(id) && !this.#server.isRegistered(id),
      admits: (id: DeviceId, credential: string) => this.devices.admits(id, credential),
      locksOut: (id: DeviceId) => this.devices.locksOut(id),
      isSpent: (id, credential) => this.#rotations.isSpent(id, credential),
      spend: (id, spentHash, credential) => this.#rotations.spend(id, spentHash, credential),
      forgetSpent: (id) => this.#rotations.forget(id),
      enroll: (login) => this.provisioning.enroll(login),
      enrolling: (id) => this.provisioning.enrolling(id),
    };
  }

  /** Notes when devices are seen, until the returned function is called. Devices that are still connected are seen then. */
  #watchDevices(): () => void {
    const note = (device: ConnectedDevice): void => this.lastSeen.saw(device);
    const server = this.#server;
    server.on('connected', note).on('disconnected', note);
    return () => {
      server.off('connected', note).off('disconnected', note);
      for (const device of server.devices) note(device);
    };
  }

  protected override handleListenerFault(name: string, error: unknown): void {
    this.#warn(`a listener of ${name} failed: ${errorText(error)}`);
  }
}

/** The documents of a store that may still be opening. */
function documentsOf(store: Store | Promise<Store>): Documents {
  const documents = Promise.resolve(store).then((opened) => opened.documents);
  // The first use reports a store that cannot be opened: `start()`.
  detached('documents of the store', ignore, documents);
  return documents;
}

function ignore(): void {
  // Whoever asks the documents for something first hears of it.
}
