import type { NodeAPI } from 'node-red';
import { ANONYMOUS_USER, deviceKey, IotmpError, isAddressable, type RegisteredDevice } from '../../../src';
import { jsonSetting } from '../../settings/readers';
import { translate } from '../red/translate';

/** Gives the value of an environment variable as the node of the table sees it; `undefined` is unknown. */
export type VariableLookup = (name: string) => string | undefined;

/** A field that stands for an environment variable: alone in it, as in the fields that core fills in. */
const VARIABLE = /^\$\{([^}\s]+)\}$/;

/** Why a row is left out: the key of its text. */
type RowFault = 'devices.incomplete' | 'devices.unusable' | 'devices.reserved' | 'devices.duplicate';

/**
 * Reads the table of devices. A row that names no device, one that no device can use, or one that an earlier row has, is
 * left out: it must not cost the others their connection. A field may be `${NAME}`, as core does not look inside the
 * table; a row with a variable that is not known, or blank, is left out, too.
 * @param text JSON, see the credential `devices` of an `iotmp-server` node
 * @param variable gives the values of the variables in fields
 * @param warn hears of each row that is left out
 * @throws IotmpError IOTMP_ERR_CONFIG when it is no JSON list
 */
export function registeredDevices(
  RED: NodeAPI,
  text: unknown,
  variable: VariableLookup,
  warn: (text: string) => void,
): RegisteredDevice[] {
  const rows = jsonSetting('devices', text) ?? [];
  if (!Array.isArray(rows)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.invalidDevices'));
  }
  const devices = new Map<string, RegisteredDevice>();
  rows.forEach((row: unknown, index) => {
    const leaveOut = (reason: string): void =>
      warn(translate(RED, 'errors.deviceLeftOut', { row: index + 1, name: nameOf(row), reason }));
    const { filled, unknown } = fillIn(row, variable);
    if (unknown !== undefined) {
      leaveOut(translate(RED, 'devices.unknownVariable', { variable: unknown }));
      return;
    }
    const device = readRow(filled);
    const fault = faultOf(device, device !== undefined && devices.has(deviceKey(device)));
    if (device !== undefined && fault === undefined) {
      devices.set(deviceKey(device), device);
      return;
    }
    leaveOut(translate(RED, fault ?? 'devices.incomplete'));
  });
  return [...devices.values()];
}

/** The row with the values of the variables that its fields name, or the first of them that is not known. */
function fillIn(row: unknown, variable: VariableLookup): { filled: unknown; unknown?: string } {
  if (typeof row !== 'object' || row === null) return { filled: row };
  const fields: [string, unknown][] = [];
  for (const [field, value] of Object.entries(row)) {
    const name = typeof value === 'string' ? VARIABLE.exec(value)?.[1] : undefined;
    const filled: unknown = name === undefined ? value : variable(name);
    if (name !== undefined && (filled === undefined || filled === '')) return { filled: row, unknown: name };
    fields.push([field, filled]);
  }
  return { filled: Object.fromEntries(fields) };
}

function faultOf(device: RegisteredDevice | undefined, isThere: boolean): RowFault | undefined {
  if (device === undefined) return 'devices.incomplete';
  if (!isAddressable(device.user) || !isAddressable(device.device)) return 'devices.unusable';
  if (device.user === ANONYMOUS_USER) return 'devices.reserved';
  return isThere ? 'devices.duplicate' : undefined;
}

/** A row as a person finds it in the table. */
function nameOf(row: unknown): string {
  const { user, device } = Object(row) as Readonly<Record<string, unknown>>;
  const shown = (name: unknown): string => (typeof name === 'string' ? name : '');
  return JSON.stringify(`${shown(user)}/${shown(device)}`);
}

/** Gives the row without anything else that it may hold; `undefined` when it is incomplete. */
function readRow(row: unknown): RegisteredDevice | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  if (!('user' in row && 'device' in row && 'credential' in row)) return undefined;
  const { user, device, credential } = row;
  if (typeof user !== 'string' || typeof device !== 'string' || typeof credential !== 'string') {
    return undefined;
  }
  const next: unknown = 'next' in row ? row.next : undefined;
  if (next !== undefined && typeof next !== 'string') return undefined;
  return user === '' || device === '' || credential === ''
    ? undefined
    : { user, device, credential, ...(next !== undefined && { next }) };
}
