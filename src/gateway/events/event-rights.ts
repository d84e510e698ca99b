import type { ServerEvent } from '../../broker/event-feed';
import type { Permissions } from '../../rights/permissions';

/** Something that an event tells of: its type, its id, and the action that reads it. */
type Told = readonly [asset: string, id: string, action: string];

/** What an event tells of whatever it is about, by the field that names it. */
const ALWAYS = [
  ['device', 'Device', 'ReadDevice'],
  ['bucket', 'Bucket', 'ReadBucket'],
  ['endpoint', 'Endpoint', 'ReadEndpoint'],
] as const;

/** What events tell of that are named after it: in others a field of this name is a mere label. */
const NAMED = ['type', 'group', 'product', 'project', 'storage'] as const;

/**
 * Whether a token may hear an event. To subscribe to the events of a user is a right of its own, and brings all of them but
 * those that tell of something whose reading the token denies.
 */
export function mayHear(permissions: Permissions, event: ServerEvent): boolean {
  for (const [asset, id, action] of toldBy(event)) if (permissions.denies(asset, id, action)) return false;
  return true;
}

function* toldBy(event: ServerEvent): Generator<Told> {
  const isProperty = event.event.includes('_property_');
  for (const [field, asset, action] of ALWAYS) {
    const id = event[field];
    if (typeof id !== 'string') continue;
    yield [asset, id, action];
    if (isProperty) yield [asset, id, `Read${asset}Property`];
  }
  for (const kind of NAMED) {
    const id = event[kind];
    if (typeof id !== 'string' || !event.event.startsWith(`${kind}_`)) continue;
    const noun = kind.charAt(0).toUpperCase() + kind.slice(1);
    yield [noun, id, isProperty ? `Read${noun}Property` : `Read${noun}Config`];
  }
  if (event.event.startsWith('user_property_') && typeof event.property === 'string') {
    yield ['Property', event.property, 'ReadProperty'];
  }
}
