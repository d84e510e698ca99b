import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { IotmpError } from '../../src';
import { translate } from './translate';

/**
 * Serves requests below a path; `target` is what comes after it, with the query. Returns false for what is not its own.
 */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse, target: string) => boolean;

/**
 * Gives requests to Node-RED's HTTP nodes to those who serve a path below their root. Node-RED's router takes no handler
 * back, so there is one for as long as Node-RED runs, which looks up who is there. What nobody serves goes on to the flows.
 */
export class HttpRouter {
  readonly #RED: NodeAPI;
  readonly #handlers = new Map<string, HttpHandler>();
  readonly #isServed: boolean;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
    const router = routerOf(RED);
    this.#isServed = router !== undefined;
    router?.use((request, response, next) => {
      if (!this.#handle(request, response)) next();
    });
  }

  /**
   * Serves what is below a path until the returned function is called; '' is all that is below the root.
   * @throws IotmpError IOTMP_ERR_CONFLICT when the path is taken, IOTMP_ERR_LISTEN when Node-RED serves no such requests
   */
  mount(path: string, handler: HttpHandler): () => void {
    if (!this.#isServed) {
      throw new IotmpError('IOTMP_ERR_LISTEN', translate(this.#RED, 'errors.noHttpRoot'));
    }
    if (this.#handlers.has(path)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', translate(this.#RED, 'errors.apiPathInUse', { path }));
    }
    this.#handlers.set(path, handler);
    return () => {
      if (this.#handlers.get(path) === handler) this.#handlers.delete(path);
    };
  }

  #handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = request.url ?? '/';
    return below(this.#handlers, url).some(([handler, target]) => handler(request, response, target));
  }
}

/** Where there is no root, Node-RED may have the router all the same, but nothing leads to it. */
function routerOf(RED: NodeAPI): NodeAPI['httpNode'] | undefined {
  const root: unknown = RED.settings.httpNodeRoot;
  return root === false ? undefined : RED.httpNode;
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
