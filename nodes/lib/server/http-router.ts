import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { errorText, guarded, IotmpError } from '../../../src';
import { translate } from '../red/translate';

/**
 * Serves requests below a path; `target` is what comes after it, with the query. Returns false for what is not its own.
 */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse, target: string) => boolean;

/**
 * Gives the requests of Node-RED's HTTP server to those who serve a path; what nobody serves goes on to whoever had them
 * before. That is ahead of Node-RED's routers: where editor and flows share a root, the editor has read every body before
 * the routers of the flows get it, as JSON of objects only, up to its own limit, and refuses all other.
 */
export class HttpRouter {
  readonly #RED: NodeAPI;
  /** Absent where Node-RED is embedded into a program without one. */
  readonly #server: Server | undefined;
  readonly #handlers = new Map<string, HttpHandler>();
  #giveBack: (() => boolean) | undefined;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
    this.#server = RED.server;
  }

  /**
   * Serves what is below a path until the returned function is called; '' is all there is.
   * @throws IotmpError IOTMP_ERR_CONFLICT when the path is taken, IOTMP_ERR_LISTEN when Node-RED serves no such requests
   */
  mount(path: string, handler: HttpHandler): () => void {
    const server = this.#serverFor(path);
    if (this.#handlers.has(path)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', translate(this.#RED, 'errors.apiPathInUse', { path }));
    }
    this.#handlers.set(path, handler);
    this.#giveBack ??= takeRequests(this.#RED, server, (request, response) =>
      this.#handle(request, response),
    );
    return () => {
      if (this.#handlers.get(path) !== handler) return;
      this.#handlers.delete(path);
      if (this.#handlers.size === 0 && this.#giveBack?.() === true) this.#giveBack = undefined;
    };
  }

  #serverFor(path: string): Server {
    const root: unknown = this.#RED.settings.httpNodeRoot;
    if (root === false) throw new IotmpError('IOTMP_ERR_LISTEN', translate(this.#RED, 'errors.noHttpRoot'));
    if (this.#server !== undefined) return this.#server;
    throw new IotmpError('IOTMP_ERR_LISTEN', translate(this.#RED, 'errors.noHttpServer', { path }));
  }

  /** A request whose handler throws is cut: nobody else would answer it. */
  #handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = request.url ?? '/';
    try {
      return below(this.#handlers, url).some(([handler, target]) => handler(request, response, target));
    } catch (error) {
      response.destroy();
      throw error;
    }
  }
}

/**
 * Offers each request first to `take`, and then, if that returns false, to those who listened so far. The returned function
 * puts them back, and gives false if it cannot, because somebody else has taken all listeners meanwhile.
 */
function takeRequests(
  RED: NodeAPI,
  server: Server,
  take: (request: IncomingMessage, response: ServerResponse) => boolean,
): () => boolean {
  const others = requestListeners(server);
  const onFault = (error: unknown): void => RED.log.error(`[iotmp-server] a request: ${errorText(error)}`);
  const listener = guarded('HTTP request', onFault, (request: IncomingMessage, response: ServerResponse) => {
    if (take(request, response)) return;
    for (const other of others) other.call(server, request, response);
  });
  server.removeAllListeners('request');
  server.on('request', listener);
  return () => {
    const [first, ...later] = requestListeners(server);
    if (first !== listener) return false;
    server.removeAllListeners('request');
    for (const other of [...others, ...later]) server.on('request', other);
    return true;
  };
}

function requestListeners(server: Server): RequestListener[] {
  return server
    .listeners('request')
    .filter((listener): listener is RequestListener => typeof listener === 'function');
}

/** Those whose path a URL is below, the longest path first, each with what comes after the path. */
export function below<Handler>(handlers: ReadonlyMap<string, Handler>, url: string): [Handler, string][] {
  const found = [...handlers].filter(
    ([path]) => url.startsWith(path) && ['', '/', '?'].includes(url.charAt(path.length)),
  );
  found.sort(([a], [b]) => b.length - a.length);
  return found.map(([path, handler]) => [handler, targetOf(url.slice(path.length))]);
}

function targetOf(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}
