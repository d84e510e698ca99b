import {
  deviceKey,
  guarded,
  type ConnectedDevice,
  type DeviceId,
  type FaultHandler,
  type IotmpServer,
} from '../../../src';

/**
 * Tells flow nodes that their device comes or goes, with one listener on the server for all of them. A device that is
 * taken over by its own newer connection does not go.
 */
export class DevicePresence {
  readonly #server: IotmpServer;
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #changed = new Set<string>();
  readonly #onFault: FaultHandler;
  readonly #onChange = (device: ConnectedDevice): void => this.#note(deviceKey(device));

  constructor(server: IotmpServer, onFault: FaultHandler) {
    this.#server = server;
    this.#onFault = onFault;
    server.on('connected', this.#onChange);
    server.on('disconnected', this.#onChange);
  }

  /** Calls back after the device has come or gone; returns the function that ends it. */
  watch(device: DeviceId, watcher: () => void): () => void {
    const key = deviceKey(device);
    const watchers = this.#watchers.get(key) ?? new Set();
    const own = (): void => watcher();
    this.#watchers.set(key, watchers);
    watchers.add(own);
    return () => {
      watchers.delete(own);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  close(): void {
    this.#server.off('connected', this.#onChange);
    this.#server.off('disconnected', this.#onChange);
  }

  /** Tells at the end of the turn, when a take-over is over. */
  #note(key: string): void {
    if (!this.#watchers.has(key)) return;
    if (this.#changed.size === 0)
      queueMicrotask(guarded('device presence', this.#onFault, () => this.#tell()));
    this.#changed.add(key);
  }

  #tell(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const key of changed) {
      for (const watcher of [...(this.#watchers.get(key) ?? [])]) {
        guarded('device watcher', this.#onFault, watcher)();
      }
    }
  }
}
