import type { NodeAPI } from 'node-red';
import { deviceMemoryLimits, hashedDevice, IotmpError, type ServerOptions } from '../../../src';
import { allowedOrigins } from '../red/allowed-origins';
import { serverTable } from '../../settings/iotmp-server';
import { settingReader, type ConfigOf } from '../../settings/setting';
import { registeredDevices, type VariableLookup } from './registered-devices';
import { TlsSource } from '../red/tls-source';

/** The properties of an `iotmp-server` node, as Node-RED hands them on. */
export type ServerConfig = ConfigOf<typeof serverTable>;

/** The credentials of an `iotmp-server` node. */
export interface ServerCredentials {
  devices?: string;
  devicesChange?: string;
  apiSecret?: string;
}

/**
 * Key and certificate of the TLS port; `undefined` without such a port.
 * @throws IotmpError IOTMP_ERR_CONFIG where there is no `tls-config` node
 */
export function serverTls(RED: NodeAPI, config: ServerConfig): TlsSource | undefined {
  const read = settingReader(serverTable, config);
  return read('tlsPort') === undefined ? undefined : new TlsSource(RED, read('tls'));
}

/**
 * The options of the server that a node describes.
 * @param tls as of {@link serverTls}
 * @param variable gives the values of the environment variables in the table of devices
 * @param warn is called with a text for each device that is left out
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property
 */
export function serverSettings(
  RED: NodeAPI,
  config: ServerConfig,
  credentials: ServerCredentials,
  tls: TlsSource | undefined,
  variable: VariableLookup,
  warn: (text: string) => void,
): ServerOptions {
  const read = settingReader(serverTable, config);
  return {
    host: read('host'),
    tcpPort: read('tcpPort'),
    tlsPort: read('tlsPort'),
    tls: tls?.options(),
    clientCertificate: read('clientCertificate'),
    trustedProxies: read('trustedProxies'),
    proxyProtocol: read('proxyProtocol'),
    origins: allowedOrigins(RED.settings.httpNodeCors),
    devices: registeredDevices(RED, credentials.devices, variable, warn).map(hashedDevice),
    anonymous: read('anonymous'),
    keepAliveS: read('keepAlive'),
    maxMessageSize: read('maxMessageSize'),
    maxConnections: read('maxConnections'),
    limits: deviceMemoryLimits(read('deviceMemory')),
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
