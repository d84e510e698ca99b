import { z } from 'zod';
import { eventKinds, type EventKind } from '../../services/event-names';
import type { Value } from '../../types';
import { json } from '../http/answer';
import { PLAIN, route, type Route } from '../route';

/** The path that lists assets of a user. Clients put the user in the place of the group. */
const listOf = (asset: string): string => `v1/users/(?<user>[a-zA-Z0-9_-]{1,32})/${asset}s`;

const userAsset = (asset: string): Record<string, Value> => ({
  asset,
  category: asset,
  role: 'user',
  paths: { list: listOf(asset) },
});

/** The types of assets of this server. */
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

/** Values of a field of an event, offered to choose from. */
const HINTS: Readonly<Record<string, Value[]>> = { state: ['connected', 'disconnected'] };
/** Streams of devices. They are opened for each client, so they are no event of the server. */
const STREAMS: EventKind = { event: 'device_resource_stream', filters: ['device', 'product', 'resource'] };

/**
 * The events of this server and their filters. Programs take the first filter for the asset of the event, and fail where
 * there is none, so an event without filters has the user.
 */
export const SERVER_EVENTS: Value[] = [...eventKinds, STREAMS].map(({ event, filters }) => ({
  event,
  filters: (filters.length === 0 ? ['user'] : filters).map((field) => {
    const hints = HINTS[field];
    return hints === undefined ? { field } : { field, hints };
  }),
}));

/** Proxies into networks of devices. This server has none, but programs check a token with this request. */
export const proxyRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: '/v1/proxies',
    action: 'ListProxies',
    asset: 'Proxy',
    summary: 'List proxies, of which this server has none',
    answer: z.array(z.unknown()),
    handle: () => json([]),
  }),
];
