import type { IotmpServer } from '../../../src';
import { nodeError } from '../red/node-error';
import type { UpgradeRouter } from './upgrade-router';

/** The WebSocket path of a server, for as long as nobody else has it. */
export class UpgradeMount {
  readonly #router: UpgradeRouter;
  readonly #path: string;
  readonly #server: IotmpServer;
  #unmount: (() => void) | undefined;
  #fault: Error | undefined;

  /** @param path empty: no WebSockets */
  constructor(router: UpgradeRouter, path: string, server: IotmpServer) {
    this.#router = router;
    this.#path = path;
    this.#server = server;
  }

  /** Why the path is not served. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** Serves the path, unless it is served or cannot be: {@link fault} tells. */
  open(): void {
    if (this.#path === '' || this.#unmount !== undefined) return;
    try {
      this.#unmount = this.#router.mount(this.#path, (request, socket, head) =>
        this.#server.handleUpgrade(request, socket, head),
      );
      this.#fault = undefined;
    } catch (error) {
      this.#fault = nodeError(error);
    }
  }

  /** Leaves the path to others. Idempotent. */
  close(): void {
    this.#unmount?.();
    this.#unmount = undefined;
  }
}
