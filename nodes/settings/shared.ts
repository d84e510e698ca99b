import { defaultServerOptions, serverRanges } from '../../src';
import { choice, configNode, decimal, text, typed, whole } from './kinds';
import type { Setting } from './setting';

/** Shortest time to wait for an answer, in s. */
const MIN_TIMEOUT_S = 0.1;

/** Longest time that a flow waits for the answer of a device, in s. */
export const MAX_REQUEST_TIMEOUT_S = 3600;

const via: Setting<'server' | 'client'> = {
  ...choice({ choices: ['server', 'client'], default: 'server', shared: true }),
  // Any other value means the server.
  read: (config, name) => (Reflect.get(config, name) === 'client' ? 'client' : 'server'),
};

/** The properties that choose the server or the client that a flow node works through. */
export const linkProperties = {
  via,
  server: configNode({ node: 'iotmp-server', check: 'link', shared: true }),
  client: configNode({ node: 'iotmp-client', check: 'link', shared: true }),
};

/** The typed fields that name a resource of a device. */
export const targetProperties = {
  user: typed({ defaultType: 'str', check: 'target', shared: true }),
  device: typed({ defaultType: 'str', check: 'target', shared: true }),
  resource: typed({ defaultType: 'str', check: 'target', shared: true }),
};

/** The name of a resource that a flow hosts. */
export function hostedResource(check: string): Setting<string> {
  return text({ check, shared: true });
}

/** Time between signs of life of a connection. */
export function keepAlive(defaultS: number): Setting<number> {
  return whole({ unit: 's', default: defaultS, ...serverRanges.keepAliveS, shared: true });
}

/** Time to wait for an answer: as long as the library waits, unless the node says otherwise. */
export function answerTime(facts: { max: number; check?: string; shared?: boolean }): Setting<number> {
  const defaultS = defaultServerOptions.requestTimeoutMs / 1000;
  return decimal({ unit: 's', default: defaultS, min: MIN_TIMEOUT_S, ...facts });
}
