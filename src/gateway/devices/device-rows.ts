import { z } from 'zod';
import type { ConnectedDevice } from '../../broker/connected-device';
import type { DeviceId, Value } from '../../types';
import { deviceRecord } from '../../directory/device-accounts';
import type { GatewayContext } from '../gateway-context';

/** A device as clients see it (`platform-api.md` section 1.3). Times are in ms since 1970. */
export const deviceDocument = deviceRecord.omit({ credential: true, next: true }).extend({
  connection: z.object({
    active: z.boolean(),
    ts: z.number().describe('since when it is connected, or was last seen; 0 = never'),
    security: z.string().describe('TLS, or empty'),
  }),
});

/** The devices of a user: made over the API, registered in the server's options, or just connected. */
export function deviceNames({ devices, server }: GatewayContext, user: string): string[] {
  const names = new Set(devices.list(user).map(({ device }) => device));
  for (const id of server.registered) if (id.user === user) names.add(id.device);
  for (const id of server.devices) if (id.user === user) names.add(id.device);
  return [...names];
}

/** Whether a device is connected, or counts as such. */
export function isConnected({ presence, server }: GatewayContext, id: DeviceId): boolean {
  return server.device(id) !== undefined || presence.get(id) !== undefined;
}

/** One device; whether there is one is the caller's affair. Of its credential nothing is told. */
export function deviceRow(
  { devices, lastSeen, presence, server }: GatewayContext,
  id: DeviceId,
): Record<string, Value> {
  const record = devices.get(id);
  const connected = server.device(id);
  const present = connected ?? presence.get(id);
  const since = connected?.since ?? 0;
  return {
    device: id.device,
    user: id.user,
    type: record?.type ?? 'Generic',
    name: record?.name ?? id.device,
    description: record?.description ?? '',
    enabled: record?.enabled ?? true,
    asset_type: record?.asset_type ?? '',
    asset_group: record?.asset_group ?? '',
    product: record?.product ?? '',
    project: record?.project ?? [],
    created: record?.created ?? since,
    modified: record?.modified ?? since,
    connection: {
      active: present !== undefined,
      ts: present?.since ?? lastSeen.get(id),
      security: securityOf(connected),
    },
  };
}

function securityOf(device: ConnectedDevice | undefined): string {
  return device?.transport === 'tls' ? 'TLS' : '';
}
