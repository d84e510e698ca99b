import type { Value } from '../../types';

/** Where the assets of a user are listed; clients put the user in the place of the group. */
const listOf = (asset: string): string => `v1/users/(?<user>[a-zA-Z0-9_-]{1,32})/${asset}s`;

const userAsset = (asset: string): Record<string, Value> => ({
  asset,
  category: asset,
  role: 'user',
  paths: { list: listOf(asset) },
});

const DEVICE = { field: 'device' };
const DEVICE_FILTERS = [DEVICE, { field: 'product' }, { field: 'asset_type' }, { field: 'asset_group' }];

/** The types of assets that are served here. */
export const SERVER_ASSETS: Value[] = [
  { asset: 'user', category: 'user', role: 'admin', paths: { list: 'v1/users' } },
  userAsset('device'),
  userAsset('token'),
];

/** The events of this server, and what they can be filtered by. */
export const SERVER_EVENTS: Value[] = [
  {
    event: 'device_state_change',
    filters: [...DEVICE_FILTERS, { field: 'state', hints: ['connected', 'disconnected'] }],
  },
  { event: 'device_authentication_failed', filters: [DEVICE, { field: 'type' }] },
  { event: 'device_create', filters: DEVICE_FILTERS },
  { event: 'device_update', filters: DEVICE_FILTERS },
  { event: 'device_delete', filters: DEVICE_FILTERS },
  { event: 'device_resource_stream', filters: [DEVICE, { field: 'resource' }] },
];
