import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, IotmpError } from '../errors';
import { checkAccess, NOBODY } from './auth/access';
import { addressKey, admit } from './auth/admittance';
import { hasToken, type Authentication } from './auth/authentication';
import type { Principal } from './auth/principal';
import type { GatewayContext } from './gateway-context';
import { isAudited, targetOf, tokenName } from './audit/audited-route';
import { failure, httpStatus, sendAnswer, type BodyAnswer, type HttpAnswer } from './http/answer';
import { hasBody, NO_BODY, readBody } from './http/body';
import { allowOrigin } from './http/cross-origin';
import { holdReading } from './http/held-reading';
import { dropBody } from './http/unread-body';
import { closed, notFound, unauthorized } from './http/request-error';
import { isOwnPath, parseTarget, type RequestTarget } from './http/request-target';
import type { Routed, RouteMatch, Router } from './http/router';
import { clientNetwork } from './limits/client-network';
import type { RequestTurns } from './limits/request-turns';
import type { RawCall, Route } from './route';
import type { AllowedOrigins } from '../transport/web-socket-origin';
import { detached, guarded, warnProcess, type Guarded } from '../util/guard';

/** The parts of the gateway that serve a request. */
export interface HttpFrontPort {
  readonly context: GatewayContext;
  readonly router: Router<Route>;
  /** The routes of WebSockets. */
  readonly sockets: Router<Routed>;
  readonly authentication: Authentication;
  readonly requests: RequestTurns;
  readonly origins: AllowedOrigins;
  /** As in the options of the gateway. */
  readonly isServedElsewhere: (target: string) => boolean;
  readonly onFault: (text: string) => void;
}

interface Found {
  readonly target: RequestTarget;
  readonly match: RouteMatch<Route> | undefined;
}

/** A request whose sender is known. */
interface Running extends Pick<RawCall, 'request' | 'captures' | 'principal' | 'signal' | 'whenOver'> {
  readonly target: RequestTarget;
  readonly route: Route;
}

/** Why a request is over. It is made once: an error for each request costs more than the rest of its end. */
const OVER = new IotmpError('IOTMP_ERR_ABORTED', 'the request is over');
/** The status of a body that stands still. */
const STANDS_STILL = 408;
/** Largest body of a request without a token, in bytes. */
const PUBLIC_BODY_BYTES = 16_384;

/** Serves the requests of programs: finds the route, authenticates, and answers, whatever happens. */
export class HttpFront {
  readonly #port: HttpFrontPort;
  /** What audited requests were about. */
  readonly #targets = new WeakMap<IncomingMessage, string>();

  constructor(port: HttpFrontPort) {
    this.#port = port;
  }

  /** Serves a request. Returns false, and does not touch it, when its path is not one of the gateway. */
  handle(request: IncomingMessage, response: ServerResponse, target: string): boolean {
    const found = this.#find(target);
    const isKnown =
      !(found instanceof IotmpError) && found.match !== undefined && !this.#yields(found, target);
    if (!isKnown && !isOwnPath(target, this.#port.isServedElsewhere)) return false;
    const onFault = (error: unknown): void => {
      this.#port.onFault(`a request failed: ${errorText(error)}`);
      response.destroy();
    };
    detached('request', onFault, this.#serve(request, response, found));
    return true;
  }

  /** Whether a path is left to somebody else who serves it. */
  #yields({ match }: Found, target: string): boolean {
    const routes = match?.routes.values() ?? [];
    return [...routes].some((route) => route.yields === true) && this.#port.isServedElsewhere(target);
  }

  #find(target: string): Found | IotmpError {
    try {
      const parsed = parseTarget(target);
      return { target: parsed, match: this.#port.router.find(parsed.segments) };
    } catch (error) {
      if (error instanceof IotmpError) return error;
      throw error;
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, found: Found | IotmpError): Promise<void> {
    const { context, origins } = this.#port;
    const startedAt = context.clock.now();
    const { method = 'GET' } = request;
    let answer: HttpAnswer;
    try {
      allowOrigin(request, response, origins);
      if (found instanceof IotmpError) throw found;
      answer = await this.#answer(request, response, found);
    } catch (error) {
      if (!(error instanceof IotmpError)) this.#port.onFault(`a request failed: ${errorText(error)}`);
      answer = failure(error);
    }
    if (!request.complete && 'status' in answer && answer.status >= 400) {
      // Whoever stands still sends nothing that could cut off the answer.
      if (context.closing.aborted || answer.status === STANDS_STILL)
        response.setHeader('Connection', 'close');
      else dropBody(request, context.clock, context.closing);
    }
    this.#send(response, answer, method !== 'HEAD');
    context.metrics.requests.add({ method: known(method), status: String(response.statusCode) });
    context.metrics.requestSeconds.observe((context.clock.now() - startedAt) / 1000);
  }

  #send(response: ServerResponse, answer: HttpAnswer, withBody: boolean): void {
    try {
      sendAnswer(response, answer, withBody);
    } catch (error) {
      this.#port.onFault(`an answer could not be sent: ${errorText(error)}`);
      response.destroy();
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { target, match }: Found,
  ): Promise<HttpAnswer> {
    if (match === undefined) return this.#refusePath(request, target);
    const { method = '' } = request;
    const route = match.routes.get(method === 'HEAD' ? 'GET' : method);
    if (route === undefined || (method === 'HEAD' && route.acts === true)) {
      return refuseMethod(method, methodsOf(match.routes));
    }
    const gone = new AbortController();
    response.once(
      'close',
      guarded('response close', warnProcess, () => {
        // Nobody waits for what is answered. To say so all the same costs more than the rest of the request's end.
        if (!response.writableFinished) gone.abort(OVER);
      }),
    );
    if (response.closed) gone.abort(OVER);
    const { signal } = gone;
    const whenOver = (task: Guarded<[]>): void => {
      if (response.closed) task();
      else response.once('close', task);
    };
    const principal = await this.#principal(request, target, route, { signal, whenOver });
    const { captures } = match;
    const run = (): Promise<HttpAnswer> =>
      this.#run({ request, target, route, captures, principal, signal, whenOver });
    if (!isAudited(route, captures)) return run();
    return this.#audited({ request, route, captures, principal }, run);
  }

  async #run({
    request,
    target,
    route,
    captures,
    principal,
    signal,
    whenOver,
  }: Running): Promise<HttpAnswer> {
    const { context } = this.#port;
    checkAccess(principal, route, captures);
    let body = NO_BODY;
    if (route.raw !== true && hasBody(request)) {
      body = await readBody(request, this.#maxBodyBytes(principal), context.clock);
      // The rights may have been lost while the body was sent.
      if (!principal.counts()) throw unauthorized('the token is wrong, expired or revoked');
    }
    if (context.closing.aborted) throw closed();
    const { query } = target;
    const answer = await route.run({ context, request, captures, query, body, principal, signal, whenOver });
    if (isAudited(route, captures)) this.#targets.set(request, targetOf(route, { captures, body }));
    return answer;
  }

  /** Keeps what a call did, before it is answered. What was refused or asked wrongly did nothing, but for what was forbidden. */
  async #audited(
    { request, route, captures, principal }: Pick<Running, 'request' | 'route' | 'captures' | 'principal'>,
    run: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> {
    const { context } = this.#port;
    const record = (status: number): Promise<void> =>
      context.audit.record({
        actor: 'api',
        by: principal.user,
        ...(principal.token !== '' && { token: tokenName(principal) }),
        action: route.action,
        target: this.#targets.get(request) ?? Object.values(captures).join('/'),
        status,
        address: clientNetwork({ context, request }),
      });
    try {
      const answer = await run();
      await record('status' in answer ? answer.status : 200);
      return answer;
    } catch (error) {
      const status = error instanceof IotmpError ? httpStatus(error) : 500;
      if (status === 403 || status >= 500) await record(status);
      throw error;
    }
  }

  #maxBodyBytes(principal: Principal): number {
    const { maxBodyBytes } = this.#port.context.limits;
    return principal === NOBODY ? Math.min(maxBodyBytes, PUBLIC_BODY_BYTES) : maxBodyBytes;
  }

  /** The answer for a path without an HTTP route: it is one of WebSockets, or of nothing. */
  #refusePath({ method = '' }: IncomingMessage, { segments }: RequestTarget): BodyAnswer {
    if (this.#port.sockets.find(segments) === undefined) throw notFound('there is nothing at this path');
    if (method !== 'GET' && method !== 'HEAD') return refuseMethod(method, ['GET', 'HEAD']);
    const error = new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'this path takes WebSockets', { statusCode: 426 });
    return { ...failure(error), headers: { Upgrade: 'websocket', Connection: 'Upgrade' } };
  }

  #principal(
    request: IncomingMessage,
    { query }: RequestTarget,
    route: Route,
    { signal, whenOver }: Pick<RawCall, 'signal' | 'whenOver'>,
  ): Principal | Promise<Principal> {
    const isOpen = route.access === 'public' || (route.access === 'optional' && !hasToken(request, query));
    if (!isOpen)
      return admit(this.#port, request, query, { signal, hold: () => holdReading(request.socket) });
    const { context, requests } = this.#port;
    const received = { context, request };
    requests.takeNow(addressKey(received));
    whenOver(
      guarded('public request left', warnProcess, context.addressPlaces.take(clientNetwork(received))),
    );
    return NOBODY;
  }
}

function methodsOf(routes: ReadonlyMap<string, Route>): string[] {
  const read = routes.get('GET');
  return read === undefined || read.acts === true ? [...routes.keys()] : [...routes.keys(), 'HEAD'];
}

function refuseMethod(method: string, allowed: readonly string[]): BodyAnswer {
  const headers = { Allow: [...allowed, 'OPTIONS'].join(', ') };
  if (method === 'OPTIONS') return { status: 204, headers };
  return { ...failure(new IotmpError('IOTMP_ERR_NOT_ALLOWED', `${method} is not served here`)), headers };
}

/** The method for the metrics: clients can make up methods, which must not fill them. */
function known(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other';
}
