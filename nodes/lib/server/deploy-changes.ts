import { isDeepStrictEqual } from 'node:util';
import {
  hashedDevice,
  type AuditEntry,
  type DeviceRule,
  type HashedDevice,
  type ServerOptions,
} from '../../../src';

/** What a deploy decides of a server. */
export interface DeployedSettings {
  /** All but the devices. */
  readonly options: Omit<ServerOptions, 'devices'>;
  readonly devices: readonly HashedDevice[];
  readonly rules: readonly DeviceRule[];
}

/** The settings as they are kept to compare the next ones with: without a credential in the clear. */
export function deployedSettings(
  { devices = [], ...options }: ServerOptions,
  rules: readonly DeviceRule[],
): DeployedSettings {
  return { options, devices: devices.map(hashedDevice), rules };
}

/** What is told of a deploy: one entry of each kind of change, with how many and which. No secret is in it. */
export function deployChanges(before: DeployedSettings, after: DeployedSettings): AuditEntry[] {
  const old = credentialsOf(before);
  const now = credentialsOf(after);
  const kept = [...now.keys()].filter((key) => old.has(key));
  const areRulesOther = !isDeepStrictEqual(before.rules, after.rules);
  const kinds = {
    AddDevices: [...now.keys()].filter((key) => !old.has(key)),
    RemoveDevices: [...old.keys()].filter((key) => !now.has(key)),
    ChangeCredentials: kept.filter((key) => old.get(key) !== now.get(key)),
    ConfigureServer: changedOptions(before.options, after.options),
  };
  const changes = Object.entries(kinds).filter(([, names]) => names.length > 0);
  const entries = changes.map(([action, names]) => entry(action, `${names.length}: ${names.join(', ')}`));
  if (!areRulesOther) return entries;
  return [...entries, entry('ChangeRules', `${before.rules.length} rules before, ${after.rules.length} now`)];
}

function entry(action: string, target: string): AuditEntry {
  return { actor: 'deploy', by: 'deploy', action, target, status: 200 };
}

/** Hashes of the credentials of the devices, by name. */
function credentialsOf({ devices }: DeployedSettings): Map<string, string> {
  return new Map(
    devices.map(({ user, device, hash, nextHash = '' }) => [`${user}/${device}`, hash + nextHash]),
  );
}

/** Names of the options that are others. */
function changedOptions(before: object, after: object): string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  const now = new Map<string, unknown>(Object.entries(after));
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => !isDeepStrictEqual(old.get(name), now.get(name)));
}
