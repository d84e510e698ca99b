import { z } from 'zod';
import type { Route } from '../route';
import { IGNORED } from '../route';
import { errorBody } from '../routes/schemas';
import type { SocketRoute } from '../sockets/socket-route';
import { exampleOf } from './examples';
import { parametersOf, templateOf } from './parameters';
import { failureComponents, failuresOf } from './responses';
import { SchemaComponents, type Json } from './schema-components';

/** What the document says of the whole. */
export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

/** What the assets are, which operations are ordered by. */
const TAGS: Readonly<Record<string, string>> = {
  Device: 'Devices, their resources, properties, files and tokens.',
  Property: 'Properties of a user.',
  Type: 'Types of devices, whose properties devices inherit.',
  Group: 'Groups of devices, whose properties devices inherit.',
  Product: 'Products, whose properties devices inherit.',
  Project: 'Projects, which assets belong to.',
  Storage: 'Storages of files.',
  Bucket: 'Data buckets: rows of values by time.',
  Endpoint: 'Endpoints, which flows answer.',
  Token: 'Tokens of programs.',
  User: 'Users, logins and sessions.',
  Proxy: 'Proxies to ports behind devices.',
  Server: 'The server itself.',
};

/** Examples of bodies that may be any value, by the action. */
const ANY_BODY: Readonly<Record<string, unknown>> = {
  CallDeviceCallback: { temperature: 21.5, humidity: 48 },
  CallEndpoint: { subject: 'Too warm', temperature: 31 },
  WriteBucket: { temperature: 21.5, humidity: 48 },
};

/** The OpenAPI 3.1 document of the routes but for its servers, made of the very schemas that check their requests. */
export function openApiDocument(
  info: ApiInfo,
  routes: readonly Route[],
  sockets: readonly SocketRoute[],
): Json {
  const { title, version, description } = info;
  const components = new SchemaComponents();
  const error = components.of(errorBody, 'output', 'Error');
  const shown = routes.filter(({ hidden }) => hidden !== true);
  const paths: Record<string, Json> = {};
  for (const route of shown) {
    const path = (paths[templateOf(route.path)] ??= {});
    path[route.method.toLowerCase()] = operation(route, components);
  }
  const assets = [...new Set(shown.map(({ asset }) => asset))];
  return {
    openapi: '3.1.0',
    info: { title, version, description },
    security: [{ bearer: [] }, { query: [] }],
    tags: assets.map((name) => ({ name, description: TAGS[name] ?? name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token, in a header.' },
        query: { type: 'apiKey', in: 'query', name: 'authorization', description: 'A token, in the query.' },
      },
      schemas: components.all,
      responses: failureComponents(error),
    },
    'x-websockets': sockets.map(({ path, action, summary }) => ({ path: templateOf(path), action, summary })),
  };
}

function operation(route: Route, components: SchemaComponents): Json {
  const { asset, deprecated, method, path, query, summary } = route;
  return {
    operationId: operationId(method, path),
    tags: [asset],
    summary,
    description: descriptionOf(route),
    ...(deprecated === true ? { deprecated } : {}),
    ...securityOf(route),
    parameters: parametersOf(path, query),
    ...bodyOf(route, components),
    responses: { '200': success(route, components), ...failuresOf(route) },
  };
}

function descriptionOf({ access, action, deprecated, summary, acts }: Route): string {
  const rights = {
    public: 'Anybody may call it.',
    optional: 'It works without a token; with one it is a call of its user.',
    token: `The token has to allow \`${action}\`.`,
    admin: `For administrators, with a token that allows \`${action}\`.`,
  }[access];
  const notes = [
    `${summary}.`,
    rights,
    acts === true ? 'It may have an effect, although it is a GET.' : '',
    deprecated === true ? 'For older programs: new ones use the newest version of the path.' : '',
  ];
  return notes.filter((note) => note !== '').join(' ');
}

function securityOf({ access, action }: Route): Json {
  if (access === 'public') return { security: [] };
  if (access === 'optional') return { security: [{}, { bearer: [] }, { query: [] }] };
  return { 'x-action': action };
}

function bodyOf(route: Route, components: SchemaComponents): Json {
  const { action, body, form, method, raw } = route;
  if (raw === true && method !== 'GET' && method !== 'DELETE') {
    const description = 'The content, of any type.';
    const schema = { type: 'string', format: 'binary', description };
    return {
      requestBody: { description, required: true, content: { 'application/octet-stream': { schema } } },
    };
  }
  if (body === IGNORED) return {};
  const isAny = body instanceof z.ZodUnknown;
  const schema = isAny ? { description: 'any JSON value' } : components.of(body, 'input', `${action}Body`);
  const example = isAny ? (ANY_BODY[action] ?? 21.5) : exampleOf(schema, components);
  const content: Json = { 'application/json': { schema, example } };
  if (form === true) content['application/x-www-form-urlencoded'] = { schema };
  if (isAny) content['application/octet-stream'] = { schema: { type: 'string', format: 'binary' } };
  const description = isAny ? 'A JSON value, or bytes.' : 'A JSON value.';
  const isRequired = !body.safeParse(undefined).success;
  return { requestBody: { description, required: isRequired, content } };
}

function success({ action, answer, asset, method, produces }: Route, components: SchemaComponents): Json {
  if (produces !== undefined) {
    if (produces === 'application/json') {
      const content = { [produces]: { schema: { type: 'object' }, example: { openapi: '3.1.0' } } };
      return { description: 'It worked.', content };
    }
    const schema = { type: 'string', ...(produces.startsWith('application/octet') && { format: 'binary' }) };
    return { description: `It worked: the answer is ${produces}.`, content: { [produces]: { schema } } };
  }
  if (answer !== undefined) {
    const name = action === `Read${asset}` || action === `List${asset}s` ? asset : `${action}Answer`;
    const schema = components.of(answer, 'output', name);
    const example = exampleOf(schema, components);
    return { description: 'It worked.', content: { 'application/json': { schema, example } } };
  }
  if (method !== 'DELETE' && /^(Set|Call)/.test(action)) {
    const schema = { description: 'any JSON value' };
    const content = { 'application/json': { schema, example: 21.5 } };
    return { description: 'It worked: the answer, or no body where there is none.', content };
  }
  return { description: 'It worked; there is no body.' };
}

function operationId(method: string, path: string): string {
  return `${method.toLowerCase()}${path.replace(/[^a-zA-Z0-9]+(\w?)/g, (_match, next: string) => next.toUpperCase())}`;
}
