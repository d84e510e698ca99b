import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IotmpError, type ServerOptions, type TlsOptions } from '../../../src';
import type { MqttSettings } from './mqtt-bridge';
import { registeredDevices } from './registered-devices';
import { booleanSetting, integerSetting, numberSetting, portSetting, textSetting } from '../red/settings';
import { translate } from '../red/translate';

/** The properties of an `iotmp-server` node, as Node-RED hands them on. */
export interface ServerConfig extends NodeDef, MqttSettings {
  readonly enabled?: unknown;
  readonly host?: unknown;
  readonly tcpPort?: unknown;
  readonly tlsPort?: unknown;
  readonly tls?: unknown;
  readonly wsPath?: unknown;
  readonly anonymous?: unknown;
  readonly keepAlive?: unknown;
  readonly maxMessageSize?: unknown;
  readonly maxConnections?: unknown;
  readonly requestTimeout?: unknown;
  readonly storage?: unknown;
}

/** The credentials of an `iotmp-server` node. */
export interface ServerCredentials {
  devices?: string;
  apiSecret?: string;
}

/** Where a node without a property of its own listens. */
const DEFAULTS = { tcpPort: 25_204, wsPath: '/iotmp' } as const;

/**
 * The options of the server that a node describes.
 * @param warn hears of each device that is left out
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property
 */
export function serverSettings(
  RED: NodeAPI,
  config: ServerConfig,
  credentials: ServerCredentials,
  warn: (text: string) => void,
): ServerOptions {
  const tlsPort = portSetting('tlsPort', config.tlsPort);
  const { tcpPort = DEFAULTS.tcpPort, maxMessageSize, maxConnections, requestTimeout } = config;
  const timeoutS = numberSetting('requestTimeout', requestTimeout, { min: 0.1, max: 3600, fallback: 10 });
  return {
    host: textSetting(config.host),
    tcpPort: portSetting('tcpPort', tcpPort),
    tlsPort,
    tls: tlsPort === undefined ? undefined : tlsSettings(RED, config.tls),
    devices: registeredDevices(RED, credentials.devices, warn),
    anonymous: booleanSetting(config.anonymous, false),
    keepAliveS: integerSetting('keepAlive', config.keepAlive, { min: 1, max: 1800, fallback: 60 }),
    maxMessageSize: integerSetting('maxMessageSize', maxMessageSize, {
      min: 64,
      max: 2 ** 28,
      fallback: 262_144,
    }),
    maxConnections: integerSetting('maxConnections', maxConnections, {
      min: 1,
      max: 1_000_000,
      fallback: 10_000,
    }),
    requestTimeoutMs: Math.round(1000 * timeoutS),
  };
}

/**
 * The WebSocket path on Node-RED's HTTP server, below its root; empty is off.
 * @throws IotmpError IOTMP_ERR_CONFIG when no request can have it
 */
export function webSocketPath(RED: NodeAPI, { wsPath = DEFAULTS.wsPath }: ServerConfig): string {
  const path = textSetting(wsPath);
  if (path === '') return '';
  if (!/^\/[^\s?#]*$/.test(path)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', 'wsPath must begin with "/" and have no spaces, "?" and "#"');
  }
  const root: unknown = RED.settings.httpNodeRoot;
  const whole = (typeof root === 'string' ? root.replace(/\/$/, '') : '') + path.replace(/\/$/, '');
  return whole === '' ? '/' : whole;
}

/** A core `tls-config` node. */
interface TlsNode extends Node {
  addTLSOptions(options: TlsOptions): TlsOptions;
}

/** Key and certificate of a core `tls-config` node. */
export function tlsSettings(RED: NodeAPI, id: unknown): TlsOptions {
  const node: unknown = typeof id === 'string' && id !== '' ? RED.nodes.getNode(id) : undefined;
  if (isTlsNode(node)) return { ...node.addTLSOptions({}) };
  throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.tlsMissing'));
}

function isTlsNode(node: unknown): node is TlsNode {
  return (
    typeof node === 'object' &&
    node !== null &&
    'addTLSOptions' in node &&
    typeof node.addTLSOptions === 'function'
  );
}
