import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Principal } from './auth/principal';
import type { GatewayContext } from './gateway-context';
import type { HttpAnswer } from './http/answer';
import { bodyValue, formValue, jsonValue, looseValue, type RequestBody } from './http/body';
import { badRequest } from './http/request-error';
import type { Routed } from './http/router';
import type { Guarded } from '../util/guard';

/**
 * Who may call a route:
 * - `public`: anybody; a token is not looked at.
 * - `optional`: anybody; a request with a token is one of its user.
 * - `token`: anybody with a token that allows the call.
 * - `admin`: administrators with such a token.
 */
export type RouteAccess = 'public' | 'optional' | 'token' | 'admin';

/** A call of a route, before its query and its body are checked. */
export interface RawCall {
  readonly context: GatewayContext;
  readonly request: IncomingMessage;
  readonly captures: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: RequestBody;
  /** `NOBODY` on public routes, and on optional routes for a request without a token. */
  readonly principal: Principal;
  /** Aborts when the client goes away before it has its answer. */
  readonly signal: AbortSignal;
  /** Has something done when the request is over, whether it was answered or given up; at once where it is. */
  readonly whenOver: (task: Guarded<[]>) => void;
}

/** A call of a route, with the query and the body as its schemas read them. */
export interface ApiCall<Q, B> extends Omit<RawCall, 'query' | 'body'> {
  readonly query: Q;
  readonly body: B;
  /** The whole query, unchecked. */
  readonly parameters: URLSearchParams;
  /** The part of the path that a capture of the route took; '' where the route has no such capture. */
  readonly param: (name: string) => string;
}

/** A call, where its query and its body do not matter. */
export type AnyCall = ApiCall<unknown, unknown>;

/** Reads a part of the path, as {@link ApiCall} does. */
export type PathParam = AnyCall['param'];

/** The declaration of a route: its path, the rights that it needs, its input and its answer. */
export interface RouteDeclaration<Q extends z.ZodType, B extends z.ZodType> extends Routed {
  /** Name of the action that a token allows or denies. */
  readonly action: string;
  readonly summary: string;
  readonly access?: RouteAccess;
  /** The type of the asset, and the capture that holds its id. */
  readonly asset: string;
  readonly id?: string;
  /** Served, but kept only for older clients. */
  readonly deprecated?: boolean;
  readonly query: Q;
  readonly body: B;
  /** A GET that may have an effect, as devices and their programs need it. HEAD must have none, and is refused. */
  readonly acts?: boolean;
  /** The body may also be a form. */
  readonly form?: boolean;
  /** The body is taken as what it is, whatever its type says. */
  readonly loose?: boolean;
  /** The handler reads the body itself, in pieces: the body may be larger than the memory. */
  readonly raw?: boolean;
  /** Schema of a successful answer in JSON. */
  readonly answer?: z.ZodType;
  /** Left to a flow that serves the same path: the path is not of the API alone. */
  readonly yields?: boolean;
  /** Served, but no part of what the API is. */
  readonly hidden?: boolean;
  /** Media type of a success that is not JSON. */
  readonly produces?: string;
  readonly handle: (call: ApiCall<z.output<Q>, z.output<B>>) => HttpAnswer | Promise<HttpAnswer>;
}

/** A route as the gateway serves it. */
export interface Route extends Omit<RouteDeclaration<z.ZodType, z.ZodType>, 'handle' | 'access'> {
  readonly access: RouteAccess;
  /** @throws IotmpError IOTMP_ERR_REQUEST when the query or the body does not match its schema */
  run(call: RawCall): HttpAnswer | Promise<HttpAnswer>;
}

/** The schema of input that is not read. */
export const IGNORED: z.ZodType = z.unknown();

/** The schemas of routes that read only their path. */
export const PLAIN = { query: IGNORED, body: IGNORED } as const;

/** Makes a route from its declaration. */
export function route<Q extends z.ZodType, B extends z.ZodType>(declaration: RouteDeclaration<Q, B>): Route {
  const { query, body, access = 'token', handle } = declaration;
  const valueOf = bodyReader(declaration);
  return {
    ...declaration,
    access,
    run: (raw) =>
      handle({
        ...raw,
        query: checked('query', query, query === IGNORED ? undefined : Object.fromEntries(raw.query)),
        body: checked('body', body, body === IGNORED ? undefined : valueOf(raw.body)),
        parameters: raw.query,
        param: (name) => raw.captures[name] ?? '',
      }),
  };
}

/** How the body of a route is read. Bytes are for routes that take any value. */
function bodyReader({
  body,
  form = false,
  loose = false,
}: Pick<RouteDeclaration<z.ZodType, z.ZodType>, 'body' | 'form' | 'loose'>): (body: RequestBody) => unknown {
  if (form) return formValue;
  if (loose) return looseValue;
  return body instanceof z.ZodUnknown ? bodyValue : jsonValue;
}

function checked<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const place = [what, ...(issue?.path ?? [])].map(String).join('.');
  throw badRequest(`${place}: ${issue?.message ?? 'not usable'}`);
}
