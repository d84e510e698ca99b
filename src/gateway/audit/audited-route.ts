import type { Principal } from '../auth/principal';
import type { RawCall, Route } from '../route';
import { IGNORED } from '../route';
import { looseValue } from '../http/body';

/** Actions on data, which programs do all day: they would push out what matters. */
const DATA_ACTIONS: ReadonlySet<string> = new Set([
  'WriteBucket',
  'ExportBucket',
  'CallEndpoint',
  'CallDeviceCallback',
]);
const ON_PROPERTIES = /^(Set|Delete|Clone)\w*Property$/;
/** Resources that give a device away: its terminal, its proxy, its files and its commands. */
const POWERFUL = /^(\$|cmd(\/|$))/;

type Audited = Pick<Route, 'method' | 'acts' | 'action' | 'asset'>;

/** Whether a call of a route is kept in the audit log. */
export function isAudited(
  { method, acts, action }: Audited,
  captures: Readonly<Record<string, string>>,
): boolean {
  if (action === 'AccessDeviceResources') {
    return captures.path !== undefined || POWERFUL.test(captures.resource ?? '');
  }
  if (method === 'GET' && acts !== true) return false;
  return !DATA_ACTIONS.has(action) && !ON_PROPERTIES.test(action);
}

/** What a call is about: the names in its path and, where it makes something, the name of that. */
export function targetOf(route: Route, { captures, body }: Pick<RawCall, 'captures' | 'body'>): string {
  const named = Object.values(captures);
  const made = route.method === 'POST' ? madeName(route, body) : undefined;
  return (made === undefined ? named : [...named, made]).join('/');
}

function madeName(
  { asset, body: schema, form, raw, loose }: Route,
  body: RawCall['body'],
): string | undefined {
  if (schema === IGNORED || form === true || raw === true || loose === true) return undefined;
  const value: unknown = looseValue(body);
  if (typeof value !== 'object' || value === null) return undefined;
  const name: unknown = Reflect.get(value, asset.charAt(0).toLowerCase() + asset.slice(1));
  return typeof name === 'string' ? name : undefined;
}

/** The name of the token of whoever acts, or the id of a session. */
export function tokenName({ token }: Pick<Principal, 'token'>): string {
  const [name = ''] = token.split('.', 1);
  return name;
}
