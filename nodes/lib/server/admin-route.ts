import type { IncomingHttpHeaders } from 'node:http';
import type { NodeAPI } from 'node-red';
import { errorText, detached, guarded, type Guarded } from '../../../src';
import { isOwnOrigin } from './admin-origin';

/** A request of the editor, as far as its routes look at it. */
export interface AdminRequest {
  readonly params: Readonly<Record<string, string | string[]>>;
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
}

/** The answer to a request of the editor. */
export interface AdminResponse {
  readonly headersSent: boolean;
  set(name: string, value: string): unknown;
  status(code: number): AdminResponse;
  type(name: string): AdminResponse;
  json(body: unknown): unknown;
  send(body: string): unknown;
  sendStatus(code: number): unknown;
  destroy(): unknown;
}

/** Answers a request. What it throws or rejects with is a line in the log, and status 500 where nothing has been sent. */
export type AdminHandler = (request: AdminRequest, response: AdminResponse) => Promise<void> | void;

/** The methods of routes that act. */
type ActingMethod = 'post' | 'put' | 'delete';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/**
 * The one place where routes of Node-RED's admin API are made, so that all of them keep the same rules. Without a login
 * (`adminAuth`) any page that the operator visits can send requests here: a request of a page from elsewhere is refused, and
 * what acts takes JSON only, which such a page cannot send unasked. No answer may be kept by a cache.
 */
export class AdminRoutes {
  readonly #RED: NodeAPI;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /**
   * Makes a GET route, for editor users with the permission `iotmp.read`. It must tell no secret and act on nothing.
   * @param place names the route in reports
   */
  read(path: string, place: string, handle: AdminHandler): void {
    const { httpAdmin, auth } = this.#RED;
    httpAdmin.get(
      path,
      this.#check(`${place} check`, () => undefined),
      auth.needsPermission('iotmp.read'),
      this.#answer(place, handle),
    );
  }

  /**
   * Makes a route that acts, for editor users with the permission `iotmp.write`.
   * @param place names the route in reports
   */
  act(method: ActingMethod, path: string, place: string, handle: AdminHandler): void {
    const { httpAdmin, auth } = this.#RED;
    httpAdmin[method](
      path,
      this.#check(`${place} check`, () => undefined),
      auth.needsPermission('iotmp.write'),
      this.#check(`${place} type`, ({ headers }) =>
        JSON_TYPE.test(headers['content-type'] ?? '') ? undefined : 415,
      ),
      this.#answer(place, handle),
    );
  }

  /** Refuses requests of foreign pages, and those for which `refusal` gives a status. */
  #check(
    place: string,
    refusal: (request: AdminRequest) => number | undefined,
  ): Guarded<[request: AdminRequest, response: AdminResponse, next: () => void]> {
    const onFault = (error: unknown): void => this.#report(place, error);
    return guarded(place, onFault, (request: AdminRequest, response: AdminResponse, next: () => void) => {
      response.set('Cache-Control', 'no-store');
      const isOwn = isOwnOrigin(request, Reflect.get(this.#RED.settings, 'httpAdminCors'));
      const status = isOwn ? refusal(request) : 403;
      if (status === undefined) next();
      else response.sendStatus(status);
    });
  }

  #answer(place: string, handle: AdminHandler): Guarded<[request: AdminRequest, response: AdminResponse]> {
    const onFault = (error: unknown): void => this.#report(place, error);
    return guarded(place, onFault, (request: AdminRequest, response: AdminResponse) => {
      const answer = async (): Promise<void> => handle(request, response);
      const onRejected = (error: unknown): void => {
        if (response.headersSent) response.destroy();
        else response.sendStatus(500);
        onFault(error);
      };
      detached(`${place} answer`, onRejected, answer());
    });
  }

  #report(place: string, error: unknown): void {
    this.#RED.log.error(`[iotmp] ${place}: ${errorText(error)}`);
  }
}
