import type { ConnectedDevice } from './connected-device';
import type { ServerEvent } from './event-feed';
import type { RefusedLogin } from './refusals/refused-login';

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
export function loginFailed(login: RefusedLogin): ServerEvent {
  const { user, device, time: ts, reason: type, address, transport, text: reason } = login;
  const what = { ts, type, address, transport, reason };
  return { event: 'device_authentication_failed', user, ...(device !== '' && { device }), ...what };
}
