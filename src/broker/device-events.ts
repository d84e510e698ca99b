import type { FailedLogin } from './broker-events';
import type { ConnectedDevice } from './connected-device';
import type { ServerEvent } from './event-feed';

/** A device came. */
export function deviceConnected({ user, device, address }: ConnectedDevice): ServerEvent {
  return { event: 'device_state_change', user, device, ts: Date.now(), state: 'connected', address };
}

/** A device went. */
export function deviceDisconnected(
  { user, device, address }: ConnectedDevice,
  { message: reason }: Error,
): ServerEvent {
  const state = 'disconnected';
  return { event: 'device_state_change', user, device, ts: Date.now(), state, address, reason };
}

/** A login was refused. */
export function loginFailed({ user, device, address, error }: FailedLogin): ServerEvent {
  const what = { type: 'credentials', address, reason: error.message };
  return { event: 'device_authentication_failed', user, device, ts: Date.now(), ...what };
}
