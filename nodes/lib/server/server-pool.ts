import type { NodeAPI } from 'node-red';
import { guarded } from '../../../src';

/** A deploy that has not ended after this long has failed. */
const PARKING_MS = 30_000;

/** What can be left over a deploy: a server, with all that belongs to it. */
interface Parkable {
  close(): Promise<void>;
}

/**
 * Keeps servers over a deploy. A deploy closes a changed config node and makes it anew; the server itself
 * lives on in between, so that the devices stay connected and only what changed is restarted. Servers that
 * nobody has taken back when the deploy is over are closed.
 */
export class ServerPool<T extends Parkable> {
  readonly #RED: NodeAPI;
  readonly #parked = new Map<string, T>();
  readonly #ending = new Map<string, Promise<void>>();
  readonly #onFault = (error: unknown): void => this.#RED.log.error(`[iotmp-server] ${String(error)}`);
  readonly #onStarted = guarded('servers left over', this.#onFault, () => this.#closeAll());
  #timer: NodeJS.Timeout | undefined;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /** The server that a node of this id left, if any. */
  take(id: string): T | undefined {
    const server = this.#parked.get(id);
    this.#parked.delete(id);
    if (this.#parked.size === 0) this.#stopWaiting();
    return server;
  }

  /** Resolves when a server that nobody took back, if there was one, has let go of everything. */
  async ended(id: string): Promise<void> {
    await this.#ending.get(id);
  }

  /** Leaves a server for the node of the same id that comes next. */
  park(id: string, server: T): void {
    if (this.#parked.size === 0) this.#startWaiting();
    this.#parked.set(id, server);
  }

  #startWaiting(): void {
    this.#RED.events.on('flows:started', this.#onStarted);
    this.#timer = setTimeout(this.#onStarted, PARKING_MS);
  }

  #stopWaiting(): void {
    this.#RED.events.off('flows:started', this.#onStarted);
    clearTimeout(this.#timer);
  }

  #closeAll(): void {
    this.#stopWaiting();
    const servers = [...this.#parked];
    this.#parked.clear();
    for (const [id, server] of servers) {
      const end = server
        .close()
        .catch(this.#onFault)
        .finally(() => {
          if (this.#ending.get(id) === end) this.#ending.delete(id);
        });
      this.#ending.set(id, end);
    }
  }
}
