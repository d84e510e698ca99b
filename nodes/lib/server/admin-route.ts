import type { IncomingHttpHeaders } from 'node:http';
import type { NodeAPI } from 'node-red';
import { errorText, detached, guarded, networkOf, type Guarded } from '../../../src';
import { isOwnOrigin } from './admin-origin';
import { serverLinkOf, type ServerLink } from './server-link';

/** A request of the editor, as far as its routes look at it. */
export interface AdminRequest {
  readonly params: Readonly<Record<string, string | string[]>>;
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
  /** The user that `adminAuth` of Node-RED has found; a user of its default has no name. */
  readonly user?: unknown;
  /** The address that Express believes in. */
  readonly ip?: string | undefined;
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

/** What an acting route has done, or why it has not. */
export interface AdminDeed {
  readonly status: number;
  /** The answer, as JSON; without one the status alone is sent. */
  readonly body?: unknown;
  /** What it was done to, for the audit log. It must hold no secret. */
  readonly target?: string;
  /** Where the request asked for more than the action of the route says. */
  readonly action?: string;
}

/** A route that acts on a server. */
export interface ActingRoute {
  readonly method: 'post' | 'put' | 'delete';
  /** It has the id of the server node as `:id`. */
  readonly path: string;
  /** Names the route in reports. */
  readonly place: string;
  /** What it does, for the audit log of the server, such as `LiftBlock`. */
  readonly action: string;
  /** @param link of the server; a server that is not there has been answered with 404 */
  readonly act: (request: AdminRequest, link: ServerLink) => Promise<AdminDeed> | AdminDeed;
}

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
   * Makes a route that acts, for editor users with the permission `iotmp.write`. What it does is in the audit log of the
   * server before it is answered, and so is what failed; what was asked wrongly has done nothing and is not in it.
   */
  act(route: ActingRoute): void {
    const { httpAdmin, auth } = this.#RED;
    const { method, path, place } = route;
    httpAdmin[method](
      path,
      this.#check(`${place} check`, () => undefined),
      auth.needsPermission('iotmp.write'),
      this.#check(`${place} type`, ({ headers }) =>
        JSON_TYPE.test(headers['content-type'] ?? '') ? undefined : 415,
      ),
      this.#answer(place, async (request, response) => {
        const link = serverLinkOf(this.#RED, request.params.id);
        const { status, body } =
          link === undefined ? { status: 404, body: undefined } : await audited(route, request, link);
        if (body === undefined) response.sendStatus(status);
        else response.status(status).json(body);
      }),
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

/** Has a route act, and keeps what came of it in the audit log. */
async function audited(route: ActingRoute, request: AdminRequest, link: ServerLink): Promise<AdminDeed> {
  const record = ({ status, target = '', action = route.action }: AdminDeed): Promise<void> =>
    link.audit.record({
      actor: 'editor',
      by: userName(request),
      action,
      target,
      status,
      ...(request.ip !== undefined && { address: networkOf(request.ip) }),
    });
  let deed: AdminDeed;
  try {
    deed = await route.act(request, link);
  } catch (error) {
    await record({ status: 500 });
    throw error;
  }
  if (deed.status < 400 || deed.status >= 500) await record(deed);
  return deed;
}

/** The name of the user of the editor; "editor" without a login. */
function userName({ user }: AdminRequest): string {
  const name: unknown = typeof user === 'object' && user !== null ? Reflect.get(user, 'username') : undefined;
  return typeof name === 'string' && name !== '' ? name : 'editor';
}
