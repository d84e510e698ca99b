import assert from 'node:assert/strict';
import type { ConnectedDevice } from '../../../src/broker/connected-device';
import { IotmpDevice } from '../../../src/broker/iotmp-device';
import { PeerSession } from '../../../src/session/peer-session';

/** The session behind a connected device, with all that its parts see of it. */
export function sessionOf(device: ConnectedDevice | undefined): PeerSession {
  assert.ok(device instanceof IotmpDevice && device.session instanceof PeerSession);
  return device.session;
}
