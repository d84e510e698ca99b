import type { DeviceId } from '../../types';
import type { GatewayContext } from '../gateway-context';
import { notFound } from '../http/request-error';

/** The device that a path names. */
export function idOf(param: (name: string) => string): DeviceId {
  return { user: param('user'), device: param('device') };
}

/** Whether there is such a device, connected or not. */
export function isKnownDevice({ devices, server }: GatewayContext, id: DeviceId): boolean {
  if (devices.has(id) || server.device(id) !== undefined || server.lastKnown(id) !== undefined) return true;
  return server.isRegistered(id);
}

/** @throws IotmpError IOTMP_ERR_NOT_FOUND when there is no such device */
export function knownDevice(context: GatewayContext, id: DeviceId): DeviceId {
  if (isKnownDevice(context, id)) return id;
  throw notFound(`there is no device ${id.device}`);
}
