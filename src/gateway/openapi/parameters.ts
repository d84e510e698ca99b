import { z } from 'zod';
import { parameterExample } from './examples';
import { jsonSchema, without, type Json } from './schema-components';

/** What the parts of paths are, and those parameters of queries that say no more of themselves. */
const ABOUT: Readonly<Record<string, string>> = {
  address: 'an address that is blocked, as the list has it',
  asset_group: 'only what belongs to this group',
  asset_type: 'only what is of this asset type',
  bucket: 'the id of a data bucket',
  device: 'the id of a device',
  endpoint: 'the name of an endpoint',
  file: 'the name of an exported file, as the export was answered',
  group: 'the id of a group',
  path: 'the path of a file or, with a slash at its end, of a folder',
  product: 'the id of a product',
  project: 'the id of a project',
  pattern: 'the id of a pattern of names',
  property: 'the name of a property',
  recursive: 'with what is in folders',
  resource: 'the path of a resource of the device',
  sort: 'the field to sort by, or the order of rows',
  storage: 'the id of a storage',
  tag: 'a member by whose values rows are told apart',
  token: 'the id of a token',
  transform:
    'what is done with the numbers: abs, ceil, floor, round, difference, derivative, cumulative_sum or elapsed',
  type: 'the type',
  user: 'the user whose it is',
  user_code: 'the code that the device shows',
};

/**
 * The parameters of a path and of a query. Those of a query have no examples: "try it" would send them, and ask for less than
 * there is.
 */
export function parametersOf(path: string, query: z.ZodType): Json[] {
  return [...pathParameters(path), ...queryParameters(query)];
}

/** `/a/:b/*c` as `/a/{b}/{c}`. */
export function templateOf(path: string): string {
  return path.replace(/(?::|\*\*?)(\w+)/g, '{$1}');
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/(?::|\*\*?)(\w+)/g)].map(([whole, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: `${ABOUT[name] ?? name}${whole.startsWith('*') ? '; it may hold slashes, encoded or not' : ''}`,
    schema: { type: 'string' },
    example: parameterExample(name) ?? name,
  }));
}

function queryParameters(query: z.ZodType): Json[] {
  if (!(query instanceof z.ZodObject)) return [];
  const { properties = {}, required = [] } = jsonSchema(query, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, given]) => {
    const { description, ...schema } = typed(given);
    return {
      name,
      in: 'query',
      required: required.includes(name) && schema.default === undefined,
      description: description ?? ABOUT[name] ?? name,
      schema,
    };
  });
}

/** Everything in a query is text; what is meant is a number or a boolean. */
function typed(schema: Json): Json {
  const { pattern, enum: choices, description, default: usual } = schema;
  const about = { ...(description !== undefined && { description }) };
  if (typeof pattern === 'string' && pattern.startsWith('^\\d')) {
    return { type: 'integer', minimum: 0, ...about };
  }
  if (Array.isArray(choices) && choices.includes('true')) return { type: 'boolean', ...about };
  if (Array.isArray(choices)) {
    const named = choices.filter((choice) => choice !== '');
    return {
      type: 'string',
      enum: named,
      ...about,
      ...(usual !== '' && usual !== undefined && { default: usual }),
    };
  }
  return usual === '' ? without(schema, 'default') : schema;
}
