import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NodeAPI } from 'node-red';
import { errorText, guarded, IotmpError } from '../../../src';
import { below } from './http-router';
import { translate } from '../red/translate';

/** Takes over the upgrade request of one path. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Takes over upgrade requests below a path; `target` is what comes after it. Returns false for what is not its own. */
export type UpgradeFallback = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: string,
) => boolean;

/**
 * Gives the WebSocket upgrades of Node-RED's HTTP server to those who serve their path. Requests for other
 * paths are left alone: they belong to others.
 */
export class UpgradeRouter {
  readonly #RED: NodeAPI;
  /** Absent where Node-RED is embedded into a program without one. */
  readonly #server: Server | undefined;
  readonly #handlers = new Map<string, UpgradeHandler>();
  readonly #fallbacks = new Map<string, UpgradeFallback>();
  readonly #listener = guarded(
    'HTTP upgrade',
    (error) => this.#RED.log.error(`[iotmp-server] a WebSocket: ${errorText(error)}`),
    (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#handle(request, socket, head),
  );

  constructor(RED: NodeAPI) {
    this.#RED = RED;
    this.#server = RED.server;
  }

  /**
   * Serves a path until the returned function is called.
   * @throws IotmpError IOTMP_ERR_CONFLICT when the path is taken, IOTMP_ERR_LISTEN when there is no HTTP server
   */
  mount(path: string, handler: UpgradeHandler): () => void {
    if (this.#handlers.has(path)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', translate(this.#RED, 'errors.pathInUse', { path }));
    }
    return this.#add(this.#handlers, path, handler);
  }

  /**
   * Serves what is below a path, '' being all there is, where no other has just the path that is asked for.
   * @throws IotmpError IOTMP_ERR_CONFLICT when the path is taken, IOTMP_ERR_LISTEN when there is no HTTP server
   */
  mountBelow(path: string, fallback: UpgradeFallback): () => void {
    if (this.#fallbacks.has(path)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', translate(this.#RED, 'errors.apiPathInUse', { path }));
    }
    return this.#add(this.#fallbacks, path, fallback);
  }

  /** A socket that its handler leaves to nobody is cut. */
  #handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = request.url ?? '/';
    const handler = this.#handlers.get(pathOf(url));
    try {
      if (handler !== undefined) handler(request, socket, head);
      else below(this.#fallbacks, url).some(([fallback, target]) => fallback(request, socket, head, target));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  #add<Handler>(handlers: Map<string, Handler>, path: string, handler: Handler): () => void {
    const server = this.#server;
    if (server === undefined) {
      throw new IotmpError('IOTMP_ERR_LISTEN', translate(this.#RED, 'errors.noHttpServer', { path }));
    }
    if (this.#isEmpty) server.on('upgrade', this.#listener);
    handlers.set(path, handler);
    return () => {
      if (handlers.get(path) !== handler) return;
      handlers.delete(path);
      if (this.#isEmpty) server.off('upgrade', this.#listener);
    };
  }

  get #isEmpty(): boolean {
    return this.#handlers.size === 0 && this.#fallbacks.size === 0;
  }
}

function pathOf(url: string): string {
  const path = url.split('?')[0] ?? '';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
