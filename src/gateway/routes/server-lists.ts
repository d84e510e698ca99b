import { eventKinds, type EventKind } from '../../services/event-names';
import type { Value } from '../../types';

/** Where the assets of a user are listed; clients put the user in the place of the group. */
const listOf = (asset: string): string => `v1/users/(?<user>[a-zA-Z0-9_-]{1,32})/${asset}s`;

const userAsset = (asset: string): Record<string, Value> => ({
  asset,
  category: asset,
  role: 'user',
  paths: { list: listOf(asset) },
});

/** The types of assets that are served here. */
export const SERVER_ASSETS: Value[] = [
  { asset: 'user', category: 'user', role: 'admin', paths: { list: 'v1/users' } },
  userAsset('device'),
  userAsset('bucket'),
  userAsset('endpoint'),
  userAsset('group'),
  userAsset('product'),
  userAsset('project'),
  userAsset('storage'),
  userAsset('token'),
  userAsset('type'),
];

/** Values that a field of an event can have, for those who choose. */
const HINTS: Readonly<Record<string, Value[]>> = { state: ['connected', 'disconnected'] };
/** Streams of devices: made for each who asks, so no event of the server. */
const STREAMS: EventKind = { event: 'device_resource_stream', filters: ['device', 'product', 'resource'] };

/**
 * The events of this server, and what they can be filtered by. Programs take the first filter for the asset of the event,
 * and fail where there is none: what is about nothing else is about the user.
 */
export const SERVER_EVENTS: Value[] = [...eventKinds, STREAMS].map(({ event, filters }) => ({
  event,
  filters: (filters.length === 0 ? ['user'] : filters).map((field) => {
    const hints = HINTS[field];
    return hints === undefined ? { field } : { field, hints };
  }),
}));
