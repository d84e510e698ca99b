import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IotmpError, type RegisteredDevice, type ServerOptions, type TlsOptions } from '../../src';
import { booleanSetting, jsonSetting, numberSetting, portSetting, textSetting } from './settings';
import { translate } from './translate';

/** The properties of an `iotmp-server` node, as Node-RED hands them on. */
export interface ServerConfig extends NodeDef {
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
}

/** The credentials of an `iotmp-server` node. */
export interface ServerCredentials {
  devices?: string;
  apiSecret?: string;
}

/**
 * The options of the server that a node describes.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property
 */
export function serverSettings(
  RED: NodeAPI,
  config: ServerConfig,
  credentials: ServerCredentials,
): ServerOptions {
  const tlsPort = portSetting('tlsPort', config.tlsPort);
  return {
    host: textSetting(config.host),
    tcpPort: portSetting('tcpPort', config.tcpPort),
    tlsPort,
    tls: tlsPort === undefined ? undefined : tlsSettings(RED, config.tls),
    devices: deviceSettings(RED, credentials.devices),
    anonymous: booleanSetting(config.anonymous, false),
    keepAliveS: numberSetting('keepAlive', config.keepAlive, { min: 1, max: 1800, fallback: 60 }),
    maxMessageSize: numberSetting('maxMessageSize', config.maxMessageSize, {
      min: 64,
      max: 2 ** 28,
      fallback: 262_144,
    }),
    maxConnections: numberSetting('maxConnections', config.maxConnections, {
      min: 1,
      max: 1_000_000,
      fallback: 10_000,
    }),
    requestTimeoutMs:
      1000 * numberSetting('requestTimeout', config.requestTimeout, { min: 0.1, max: 3600, fallback: 10 }),
  };
}

/**
 * The WebSocket path on Node-RED's HTTP server, below its root; empty is off.
 * @throws IotmpError IOTMP_ERR_CONFIG when it does not begin with a slash
 */
export function webSocketPath(RED: NodeAPI, config: ServerConfig): string {
  const path = textSetting(config.wsPath);
  if (path === '') return '';
  if (!path.startsWith('/')) throw new IotmpError('IOTMP_ERR_CONFIG', 'wsPath must begin with "/"');
  const root: unknown = RED.settings.httpNodeRoot;
  return (typeof root === 'string' ? root.replace(/\/$/, '') : '') + path.replace(/\/$/, '');
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

function deviceSettings(RED: NodeAPI, text: string | undefined): RegisteredDevice[] {
  const refuse = (): never => {
    throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.invalidDevices'));
  };
  const list = jsonSetting('devices', text) ?? [];
  if (!Array.isArray(list)) return refuse();
  return list.map((entry: unknown) => (isRegisteredDevice(entry) ? entry : refuse()));
}

function isRegisteredDevice(entry: unknown): entry is RegisteredDevice {
  if (typeof entry !== 'object' || entry === null) return false;
  if (!('user' in entry && 'device' in entry && 'credential' in entry)) return false;
  const { user, device, credential } = entry;
  return (
    typeof user === 'string' && typeof device === 'string' && typeof credential === 'string' && device !== ''
  );
}
