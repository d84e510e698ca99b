import { allSettled } from '../../directory/records';
import type { DeviceId, Value } from '../../types';
import type { GatewayContext } from '../gateway-context';
import { deviceRow } from './device-rows';

/**
 * Removes a device that was made over the API, with all that is its own, and ends what is open for it.
 * @throws what the store throws (as a rejection); then the device is locked out all the same, and can be removed again
 */
export async function removeDevice(context: GatewayContext, id: DeviceId): Promise<void> {
  const { callbacks, devices, deviceTokens, lastSeen, places, server, services } = context;
  const row = deviceRow(context, id);
  const removed = [
    devices.remove(id),
    deviceTokens.removeAll(id),
    callbacks.remove(id),
    services.properties.clear(id),
  ];
  server.forget(id);
  lastSeen.forget(id);
  places.review();
  await allSettled(removed);
  publishDevice(context, 'device_delete', row);
}

/** Tells of a device that was made, changed or removed. */
export function publishDevice(
  { server }: Pick<GatewayContext, 'server'>,
  event: string,
  { user, ...row }: Readonly<Record<string, Value>>,
): void {
  server.events.publish({ ...row, event, user: typeof user === 'string' ? user : '', ts: Date.now() });
}
