import type { Json, SchemaComponents } from './schema-components';

/** Examples of members and parameters, by their names. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  access_token: 'eyJhbGciOiJIUzI1NiJ9.e30.s',
  active: true,
  agg: '1h',
  agg_type: 'mean',
  allow: { Device: { station: ['AccessDeviceResources'] } },
  asset_group: 'greenhouse',
  asset_type: 'sensors',
  authorization: 'eyJhbGciOiJIUzI1NiJ9.e30.s',
  bucket: 'climate',
  code: 'IOTMP_ERR_NOT_FOUND',
  config: { source: 'device', device: 'station', resource: 'temperature', update: 'interval', interval: 60 },
  count: 50,
  created: 1_767_225_600_000,
  credentials: 'a-long-secret',
  deny: {},
  description: 'Measures temperature and humidity.',
  device: 'station',
  email: 'ada@example.org',
  enabled: true,
  endpoint: 'mail',
  fields: 'temperature,humidity',
  file: 'climate-1767225600000.csv',
  group: 'greenhouse',
  group_by: 'device',
  id: 'station',
  index: 0,
  ip: '192.0.2.7',
  items: 100,
  key: 'a-long-key-of-one-line',
  max_ts: 1_767_225_600_000,
  message: 'there is no device none',
  min_ts: 1_767_139_200_000,
  modified: 1_767_225_600_000,
  name: 'Station',
  order: 'asc',
  password: 'a-long-password',
  pattern: 'station-*',
  path: 'logs/today.txt',
  product: 'weather',
  project: 'garden',
  property: 'location',
  resource: 'temperature',
  rows: 1440,
  sort: 'device',
  storage: 'pictures',
  tag: 'device',
  tags: ['device'],
  token: 'dashboard',
  token_name: 'dashboard',
  transform: 'round',
  ts: 1_767_225_600_000,
  type: 'Generic',
  tz: 'Europe/Madrid',
  until: 1_798_761_600_000,
  user: 'me',
  user_code: 'ABCD-EFGH',
  value: { latitude: 59.3, longitude: 18.1 },
};

/** How deep an example goes. */
const MAX_DEPTH = 6;

/** A value that a schema takes: what people would send or get. */
export function exampleOf(schema: Json, components: SchemaComponents, name = '', depth = 0): unknown {
  const resolved = components.resolve(schema);
  if (depth > MAX_DEPTH) return null;
  const { type, properties, items, enum: choices, default: usual, const: only, anyOf, example } = resolved;
  if (example !== undefined) return example;
  if (only !== undefined) return only;
  if (isJson(properties)) return exampleOfObject(properties, components, depth);
  const [first] = list(choices);
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (first !== undefined) return list(choices).includes(known) ? known : (usual ?? first);
  if (known !== undefined && isOfType(known, type)) return known;
  if (usual !== undefined) return usual;
  if (type === 'array') return isJson(items) ? [exampleOf(items, components, singular(name), depth + 1)] : [];
  const [alternative] = list(anyOf).filter(isJson).reverse();
  if (alternative !== undefined) return exampleOf(alternative, components, name, depth + 1);
  return plainExample(resolved);
}

/** An example of a part of a path. */
export function parameterExample(name: string): unknown {
  return Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
}

function exampleOfObject(properties: Json, components: SchemaComponents, depth: number): unknown {
  const members = Object.entries(properties).filter(([, member]) => isJson(member));
  return Object.fromEntries(
    members.map(([name, member]) => [name, exampleOf(member as Json, components, name, depth + 1)]),
  );
}

function plainExample({ type, minimum }: Json): unknown {
  if (type === 'number' || type === 'integer') return typeof minimum === 'number' ? minimum : 1;
  if (type === 'boolean') return true;
  if (type === 'object') return {};
  if (type === 'string') return 'text';
  if (type === 'null') return null;
  return 21.5;
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  if (type === 'integer' || type === 'number') return typeof value === 'number';
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isJson(value);
  return typeof value === type;
}

function singular(name: string): string {
  return name.replace(/s$/, '');
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
