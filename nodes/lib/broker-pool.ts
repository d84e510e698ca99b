import type { NodeAPI } from 'node-red';
import type { IotmpServer } from '../../src';
import { closeServer } from './server-services-of';

/** A deploy that has not ended after this long has failed. */
const PARKING_MS = 30_000;

/**
 * Keeps servers over a deploy. A deploy closes a changed config node and makes it anew; the server itself
 * lives on in between, so that the devices stay connected and only what changed is restarted. Servers that
 * nobody has taken back when the deploy is over are closed.
 */
export class BrokerPool {
  readonly #RED: NodeAPI;
  readonly #parked = new Map<string, IotmpServer>();
  readonly #onStarted = (): void => this.#closeAll();
  readonly #onRuntimeEvent = (event: unknown): void => {
    if (isFullStop(event)) this.#closeAll();
  };
  #timer: NodeJS.Timeout | undefined;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /** The server that a node of this id left, if any. */
  take(id: string): IotmpServer | undefined {
    const server = this.#parked.get(id);
    this.#parked.delete(id);
    if (this.#parked.size === 0) this.#stopWaiting();
    return server;
  }

  /** Leaves a server for the node of the same id that comes next. */
  park(id: string, server: IotmpServer): void {
    if (this.#parked.size === 0) this.#startWaiting();
    this.#parked.set(id, server);
  }

  #startWaiting(): void {
    this.#RED.events.on('flows:started', this.#onStarted);
    this.#RED.events.on('runtime-event', this.#onRuntimeEvent);
    this.#timer = setTimeout(this.#onStarted, PARKING_MS);
  }

  #stopWaiting(): void {
    this.#RED.events.off('flows:started', this.#onStarted);
    this.#RED.events.off('runtime-event', this.#onRuntimeEvent);
    clearTimeout(this.#timer);
  }

  #closeAll(): void {
    this.#stopWaiting();
    const servers = [...this.#parked.values()];
    this.#parked.clear();
    for (const server of servers) {
      closeServer(server).catch((error: unknown) => this.#RED.log.error(`[iotmp-server] ${String(error)}`));
    }
  }
}

/** Whether the flows were stopped for good, and not for a deploy. */
function isFullStop(event: unknown): boolean {
  if (typeof event !== 'object' || event === null || !('id' in event) || event.id !== 'runtime-state')
    return false;
  if (!('payload' in event) || typeof event.payload !== 'object' || event.payload === null) return false;
  const { payload } = event;
  return 'state' in payload && payload.state === 'stop' && !('deploy' in payload && payload.deploy === true);
}
