import type { NodeAPI } from 'node-red';
import { IotmpError, type DeviceId, type IotmpServer } from '../../../src';
import type { LinkState } from '../flow/link';
import { translate } from '../red/translate';

/**
 * How a device of a server stands. Where it cannot be there, the reason comes first: that the server does not work, or
 * does not know the device.
 * @param link how the server stands
 */
export function deviceState(RED: NodeAPI, server: IotmpServer, link: LinkState, id: DeviceId): LinkState {
  const { device } = id;
  if (server.device(id) !== undefined) {
    return { kind: 'up', text: translate(RED, 'status.deviceConnected', { device }) };
  }
  if (link.kind === 'error' || link.kind === 'off' || !server.running) return link;
  if (isWithoutDevices(server)) return { kind: 'waiting', text: translate(RED, 'status.unregistered') };
  if (!server.mayConnect(id)) {
    return { kind: 'error', text: translate(RED, 'status.unknownDevice', { device }) };
  }
  return { kind: 'waiting', text: translate(RED, 'status.offline', { device }) };
}

/** Whether nobody can connect, as far as the server knows. */
export function isWithoutDevices(server: IotmpServer): boolean {
  return !server.anonymous && server.registered.length === 0 && server.deviceCount === 0;
}

/** Why a device that is not connected cannot be called. Whoever hands it on says which device. */
export function absentDevice(RED: NodeAPI, server: IotmpServer, link: LinkState, id: DeviceId): IotmpError {
  const reason = link.kind === 'up' || link.kind === 'waiting' ? '' : ` (${link.text})`;
  const key = server.mayConnect(id) || isWithoutDevices(server) ? 'errors.offline' : 'errors.unknownDevice';
  return new IotmpError('IOTMP_ERR_OFFLINE', translate(RED, key) + reason);
}
