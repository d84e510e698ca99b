import type { Node, NodeAPI } from 'node-red';
import { IotmpError, type ServerOptions, type TlsOptions } from '../../../src';
import { serverTable } from '../../settings/iotmp-server';
import { settingReader, type ConfigOf } from '../../settings/setting';
import { registeredDevices } from './registered-devices';
import { translate } from '../red/translate';

/** The properties of an `iotmp-server` node, as Node-RED hands them on. */
export type ServerConfig = ConfigOf<typeof serverTable>;

/** The credentials of an `iotmp-server` node. */
export interface ServerCredentials {
  devices?: string;
  apiSecret?: string;
}

/**
 * The options of the server that a node describes.
 * @param warn is called with a text for each device that is left out
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property
 */
export function serverSettings(
  RED: NodeAPI,
  config: ServerConfig,
  credentials: ServerCredentials,
  warn: (text: string) => void,
): ServerOptions {
  const read = settingReader(serverTable, config);
  const tlsPort = read('tlsPort');
  return {
    host: read('host'),
    tcpPort: read('tcpPort'),
    tlsPort,
    tls: tlsPort === undefined ? undefined : tlsSettings(RED, read('tls')),
    devices: registeredDevices(RED, credentials.devices, warn),
    anonymous: read('anonymous'),
    keepAliveS: read('keepAlive'),
    maxMessageSize: read('maxMessageSize'),
    maxConnections: read('maxConnections'),
    requestTimeoutMs: Math.round(1000 * read('requestTimeout')),
  };
}

/**
 * The WebSocket path on Node-RED's HTTP server, below its root; empty is off.
 * @throws IotmpError IOTMP_ERR_CONFIG when no request can have it
 */
export function webSocketPath(RED: NodeAPI, config: ServerConfig): string {
  const path = settingReader(serverTable, config)('wsPath');
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

/**
 * Key and certificate of a core `tls-config` node.
 * @throws IotmpError IOTMP_ERR_CONFIG where there is no such node
 */
export function tlsSettings(RED: NodeAPI, id: string): TlsOptions {
  const node: unknown = id === '' ? undefined : RED.nodes.getNode(id);
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
