import { z } from 'zod';
import type { Route } from '../route';
import { IGNORED } from '../route';
import { errorBody } from '../routes/schemas';
import type { SocketRoute } from '../sockets/socket-route';

type Json = Record<string, unknown>;

/** What the document says of the whole. */
export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

const ERROR = { $ref: '#/components/responses/Error' };

/** The OpenAPI 3.1 document of the routes but for its servers, made of the very schemas that check their requests. */
export function openApiDocument(
  info: ApiInfo,
  routes: readonly Route[],
  sockets: readonly SocketRoute[],
): Json {
  const { title, version, description } = info;
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[pathOf(route.path)] ??= {});
    path[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description },
    security: [{ bearer: [] }, { query: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        query: { type: 'apiKey', in: 'query', name: 'authorization' },
      },
      responses: {
        Error: {
          description: 'It failed.',
          content: { 'application/json': { schema: schemaOf(errorBody) } },
        },
      },
    },
    'x-websockets': sockets.map(({ path, action, summary }) => ({ path: pathOf(path), action, summary })),
  };
}

function operation(route: Route): Json {
  const { access, action, asset, deprecated, method, path, summary } = route;
  return {
    operationId: operationId(method, path),
    tags: [asset],
    summary,
    ...(deprecated === true ? { deprecated } : {}),
    ...securityOf(access, action),
    parameters: [...pathParameters(path), ...queryParameters(route.query)],
    ...(route.body === IGNORED ? {} : { requestBody: requestBody(route) }),
    responses: {
      '200': { description: 'It worked.', ...contentOf(route) },
      ...(access === 'public' ? {} : { '401': ERROR, '403': ERROR }),
      default: ERROR,
    },
  };
}

function securityOf(access: Route['access'], action: string): Json {
  if (access === 'public') return { security: [] };
  if (access === 'optional') return { security: [{}, { bearer: [] }, { query: [] }] };
  return { 'x-action': action };
}

function requestBody({ body, form }: Route): Json {
  const schema = schemaOf(body);
  const content: Json = { 'application/json': { schema } };
  if (form === true) content['application/x-www-form-urlencoded'] = { schema };
  if (Object.keys(schema).length === 0) content['application/octet-stream'] = {};
  return { content };
}

function contentOf({ answer, produces }: Route): Json {
  if (produces !== undefined) return { content: { [produces]: {} } };
  return answer === undefined
    ? {}
    : { content: { 'application/json': { schema: schemaOf(answer, 'output') } } };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/(?::|\*\*?)(\w+)/g)].map(([whole, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
    ...(whole.startsWith('*') ? { description: 'may hold slashes, encoded or not' } : {}),
  }));
}

function queryParameters(query: z.ZodType): Json[] {
  if (!(query instanceof z.ZodObject)) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): Json {
  const members = Object.entries(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  return Object.fromEntries(members.filter(([name]) => name !== '$schema'));
}

/** `/a/:b/*c` as `/a/{b}/{c}`. */
function pathOf(path: string): string {
  return path.replace(/(?::|\*\*?)(\w+)/g, '{$1}');
}

function operationId(method: string, path: string): string {
  return `${method.toLowerCase()}${path.replace(/[^a-zA-Z0-9]+(\w?)/g, (_match, next: string) => next.toUpperCase())}`;
}
