import type { NodeAPI } from 'node-red';
import { IotmpError, type RegisteredDevice } from '../../../src';
import { jsonSetting } from '../../settings/readers';
import { translate } from '../red/translate';

/**
 * Reads the table of devices. A row that names no device, or one that an earlier row has, is left out: it must not
 * cost the others their connection.
 * @param text JSON, see the credential `devices` of an `iotmp-server` node
 * @param warn hears of each row that is left out
 * @throws IotmpError IOTMP_ERR_CONFIG when it is no JSON list
 */
export function registeredDevices(
  RED: NodeAPI,
  text: unknown,
  warn: (text: string) => void,
): RegisteredDevice[] {
  const rows = jsonSetting('devices', text) ?? [];
  if (!Array.isArray(rows)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.invalidDevices'));
  }
  const devices = new Map<string, RegisteredDevice>();
  rows.forEach((row: unknown, index) => {
    const device = readRow(row);
    const key = JSON.stringify([device?.user, device?.device]);
    if (device !== undefined && !devices.has(key)) {
      devices.set(key, device);
      return;
    }
    const reason = translate(RED, device === undefined ? 'devices.incomplete' : 'devices.duplicate');
    const property = `devices[${index}]`;
    warn(translate(RED, 'errors.invalidProperty', { property, reason }));
  });
  return [...devices.values()];
}

/** Gives the row without anything else that it may hold; `undefined` when it is incomplete. */
function readRow(row: unknown): RegisteredDevice | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  if (!('user' in row && 'device' in row && 'credential' in row)) return undefined;
  const { user, device, credential } = row;
  if (typeof user !== 'string' || typeof device !== 'string' || typeof credential !== 'string') {
    return undefined;
  }
  return user === '' || device === '' || credential === '' ? undefined : { user, device, credential };
}
