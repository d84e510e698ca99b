import type { Route } from '../route';
import { IGNORED } from '../route';
import type { Json } from './schema-components';

/** What goes wrong, by its status: the name of the response, what it means, and an example of its code and message. */
const FAILURES = {
  400: [
    'BadRequest',
    'The query or the body is not well formed.',
    'IOTMP_ERR_REQUEST',
    'body.device: is missing',
  ],
  401: [
    'Unauthorized',
    'There is no token, or it counts for nothing.',
    'IOTMP_ERR_AUTH',
    'a token is needed',
  ],
  403: [
    'Forbidden',
    'The token does not allow this.',
    'IOTMP_ERR_FORBIDDEN',
    'the token does not allow ReadDevice',
  ],
  404: [
    'NotFound',
    'There is nothing of that name, or the device is not connected.',
    'IOTMP_ERR_NOT_FOUND',
    'there is no device none',
  ],
  409: [
    'Conflict',
    'It is there already, or is changed only elsewhere.',
    'IOTMP_ERR_CONFLICT',
    'device station is already there',
  ],
  413: ['TooLarge', 'The body is too large.', 'IOTMP_ERR_TOO_LARGE', 'a body has at most 1048576 bytes'],
  415: [
    'UnsupportedMediaType',
    'The body is of a kind that is not taken here.',
    'IOTMP_ERR_REQUEST',
    'send application/json: bytes are not taken here',
  ],
  429: [
    'TooManyRequests',
    'Too many requests of this token or address; `Retry-After` says when to try again.',
    'IOTMP_ERR_RATE',
    'too many requests: try again in 6 s',
  ],
  501: [
    'NotOffered',
    'This server does not do that.',
    'IOTMP_ERR_NOT_ALLOWED',
    'endpoints of type "email" are not run here',
  ],
  504: ['Timeout', 'The device did not answer in time.', 'IOTMP_ERR_TIMEOUT', 'no answer within 10 s'],
} as const;

type Status = keyof typeof FAILURES;

/** The failures, as components of a document. */
export function failureComponents(errorSchema: Json): Json {
  const entries = Object.entries(FAILURES).map(([status, [name, description, code, message]]) => [
    name,
    {
      description,
      ...(status === '429' && {
        headers: { 'Retry-After': { description: 'seconds', schema: { type: 'integer', minimum: 1 } } },
      }),
      content: contentOf(errorSchema, { error: { message, code } }),
    },
  ]);
  const other = {
    description: 'It failed.',
    content: contentOf(errorSchema, { error: { message: 'the server failed', code: 'IOTMP_ERR_HANDLER' } }),
  };
  return { ...(Object.fromEntries(entries) as Json), Error: other };
}

/** The failures that an operation may end with. */
export function failuresOf(route: Route): Json {
  const { access, body, method, path, query } = route;
  const hasBody = body !== IGNORED || route.raw === true;
  const named = path.match(/[:*]\w+/g)?.filter((name) => name !== ':user') ?? [];
  const isOfDevice = path.includes('/resources') || /\/v[12].*:device\/(api|[:*]+resource)/.test(path);
  const statuses: Status[] = [
    ...(hasBody || query !== IGNORED ? ([400] as const) : []),
    ...(access === 'public' ? [] : ([401, 403] as const)),
    ...(named.length > 0 ? ([404] as const) : []),
    ...(method === 'POST' && hasBody ? ([409] as const) : []),
    ...(hasBody ? ([413, 415] as const) : []),
    429,
    ...(method === 'POST' && /Create|Call(Endpoint)/.test(route.action) ? ([501] as const) : []),
    ...(isOfDevice ? ([504] as const) : []),
  ];
  const found = statuses.map((status) => [
    String(status),
    { $ref: `#/components/responses/${FAILURES[status][0]}` },
  ]);
  return { ...(Object.fromEntries(found) as Json), default: { $ref: '#/components/responses/Error' } };
}

function contentOf(schema: Json, example: unknown): Json {
  return { 'application/json': { schema, example } };
}
