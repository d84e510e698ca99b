import type { IotmpServer } from '../../broker/broker';
import type { DeviceId } from '../../types';
import type { DeviceAccounts } from '../accounts/device-accounts';
import type { EventBus } from './event-bus';

/**
 * Tells of devices that come and go, and of those that are turned away (`platform-api.md` section 3), until the
 * returned function is called.
 */
export function publishDeviceEvents(server: IotmpServer, devices: DeviceAccounts, bus: EventBus): () => void {
  const publish = (event: string, id: DeviceId, fields: Record<string, string>): void => {
    const { product = '', asset_type = '', asset_group = '' } = devices.get(id) ?? {};
    const { user, device } = id;
    bus.publish({ event, user, ts: Date.now(), device, product, asset_type, asset_group, ...fields });
  };
  const onConnected = (id: DeviceId): void => publish('device_state_change', id, { state: 'connected' });
  const onDisconnected = (id: DeviceId): void =>
    publish('device_state_change', id, { state: 'disconnected' });
  const onRefused = (id: DeviceId): void =>
    publish('device_authentication_failed', id, { type: 'credentials' });
  server
    .on('connected', onConnected)
    .on('disconnected', onDisconnected)
    .on('authenticationFailed', onRefused);
  return () => {
    server.off('connected', onConnected).off('disconnected', onDisconnected);
    server.off('authenticationFailed', onRefused);
  };
}
