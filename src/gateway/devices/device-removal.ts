import { IotmpError } from '../../errors';
import type { DeviceId, Value } from '../../types';
import type { GatewayContext } from '../gateway-context';
import { deviceRow } from './device-rows';

/** Ends the connection of a device, if it has one, or what counts as such. */
export function cutOff({ presence, server }: GatewayContext, id: DeviceId): void {
  presence.end(id, 'the device was removed or locked out');
  server.device(id)?.close(new IotmpError('IOTMP_ERR_AUTH', 'the device has to log in again'));
}

/** Removes a device that was made over the API, with all that is its own, and ends what is open for it. */
export async function removeDevice(context: GatewayContext, id: DeviceId): Promise<void> {
  const { callbacks, devices, deviceTokens, lastSeen, places, server, services } = context;
  const row = deviceRow(context, id);
  await devices.remove(id);
  cutOff(context, id);
  server.forget(id);
  lastSeen.forget(id);
  await Promise.all([deviceTokens.removeAll(id), callbacks.remove(id), services.properties.clear(id)]);
  places.review();
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
