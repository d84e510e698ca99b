import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NodeAPI } from 'node-red';
import { IotmpError } from '../../src';
import { translate } from './translate';

/** Takes over the upgrade request of one path. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Gives the WebSocket upgrades of Node-RED's HTTP server to those who serve their path. Requests for other
 * paths are left alone: they belong to others.
 */
export class UpgradeRouter {
  readonly #RED: NodeAPI;
  /** Absent where Node-RED is embedded into a program without one. */
  readonly #server: Server | undefined;
  readonly #handlers = new Map<string, UpgradeHandler>();
  readonly #listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#handlers.get(pathOf(request.url))?.(request, socket, head);
  };

  constructor(RED: NodeAPI) {
    this.#RED = RED;
    this.#server = RED.server;
  }

  /**
   * Serves a path until the returned function is called.
   * @throws IotmpError IOTMP_ERR_CONFLICT when the path is taken, IOTMP_ERR_LISTEN when there is no HTTP server
   */
  mount(path: string, handler: UpgradeHandler): () => void {
    const server = this.#server;
    if (server === undefined) {
      throw new IotmpError('IOTMP_ERR_LISTEN', translate(this.#RED, 'errors.noHttpServer', { path }));
    }
    if (this.#handlers.has(path)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', translate(this.#RED, 'errors.pathInUse', { path }));
    }
    if (this.#handlers.size === 0) server.on('upgrade', this.#listener);
    this.#handlers.set(path, handler);
    return () => {
      if (this.#handlers.get(path) !== handler) return;
      this.#handlers.delete(path);
      if (this.#handlers.size === 0) server.off('upgrade', this.#listener);
    };
  }
}

function pathOf(url: string | undefined): string {
  const path = (url ?? '').split('?')[0] ?? '';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
