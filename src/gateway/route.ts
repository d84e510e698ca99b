import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Principal } from './auth/principal';
import type { GatewayContext } from './gateway-context';
import type { HttpAnswer } from './http/answer';
import { bodyValue, formValue, type RequestBody } from './http/body';
import { badRequest } from './http/request-error';
import type { Routed } from './http/router';

/**
 * Who may call a route: anybody, anybody but with a token it counts who he is, whoever has a token that allows it, or only
 * administrators with such a token.
 */
export type RouteAccess = 'public' | 'optional' | 'token' | 'admin';

/** What a call of a route brings along, before it is checked. */
export interface RawCall {
  readonly context: GatewayContext;
  readonly request: IncomingMessage;
  readonly captures: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: RequestBody;
  /** Nobody on public routes, and where no token is needed and none is sent. */
  readonly principal: Principal;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** A call of a route, with what its schemas made of query and body. */
export interface ApiCall<Q, B> extends Omit<RawCall, 'query' | 'body'> {
  readonly query: Q;
  readonly body: B;
  /** All of the query, as it came. */
  readonly parameters: URLSearchParams;
  /** What the path holds under a name of the route; '' when it has none. */
  readonly param: (name: string) => string;
}

/** A route, declared: what is served, who may ask for it, what it takes and gives. */
export interface RouteDeclaration<Q extends z.ZodType, B extends z.ZodType> extends Routed {
  /** Name of the action that a token allows or denies. */
  readonly action: string;
  readonly summary: string;
  readonly access?: RouteAccess;
  /** The type of what it is about, and the name in the path of its id. */
  readonly asset: string;
  readonly id?: string;
  /** Answered like the others, but kept for clients of older days. */
  readonly deprecated?: boolean;
  readonly query: Q;
  readonly body: B;
  /** A GET that may do something, as devices and their programs want it; HEAD must not, and is refused. */
  readonly acts?: boolean;
  /** The body may also be a form. */
  readonly form?: boolean;
  /** The handler reads the body itself, as it comes: it may be larger than what fits into the memory. */
  readonly raw?: boolean;
  /** What a success gives as JSON. */
  readonly answer?: z.ZodType;
  /** Media type of a success that is not JSON. */
  readonly produces?: string;
  readonly handle: (call: ApiCall<z.output<Q>, z.output<B>>) => HttpAnswer | Promise<HttpAnswer>;
}

/** A route as the gateway serves it. */
export interface Route extends Omit<RouteDeclaration<z.ZodType, z.ZodType>, 'handle' | 'access'> {
  readonly access: RouteAccess;
  /** @throws IotmpError IOTMP_ERR_REQUEST when query or body are not what they should be */
  run(call: RawCall): HttpAnswer | Promise<HttpAnswer>;
}

/** The schema of what nobody looks at. */
export const IGNORED: z.ZodType = z.unknown();

/** For routes that take nothing but their path. */
export const PLAIN = { query: IGNORED, body: IGNORED } as const;

/** Makes a route of its declaration. */
export function route<Q extends z.ZodType, B extends z.ZodType>(declaration: RouteDeclaration<Q, B>): Route {
  const { query, body, form, access = 'token', handle } = declaration;
  return {
    ...declaration,
    access,
    run: (raw) =>
      handle({
        ...raw,
        query: checked('query', query, query === IGNORED ? undefined : Object.fromEntries(raw.query)),
        body: checked('body', body, body === IGNORED ? undefined : valueOf(raw.body, form)),
        parameters: raw.query,
        param: (name) => raw.captures[name] ?? '',
      }),
  };
}

function valueOf(body: RequestBody, form = false): unknown {
  return form ? formValue(body) : bodyValue(body);
}

function checked<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const place = [what, ...(issue?.path ?? [])].map(String).join('.');
  throw badRequest(`${place}: ${issue?.message ?? 'not usable'}`);
}
