import {
  clientCertificates,
  defaultClientOptions,
  defaultServerOptions,
  deviceMemory,
  serverRanges,
} from '../../src';
import { choice, configNode, deviceRuleList, optional, port, proxies, text, toggle, whole } from './kinds';
import { nodeSettings } from './setting';
import { answerTime, keepAlive, MAX_REQUEST_TIMEOUT_S } from './shared';

/** Settings of the `iotmp-server` node. Ports and path are those that devices use when they are told no other. */
export const serverTable = nodeSettings(
  'iotmp-server',
  {
    enabled: toggle({ default: true }),
    host: text({ check: 'optionalHost' }),
    tcpPort: port({ default: defaultClientOptions.port.tcp, blank: 'off' }),
    tlsPort: port({ blank: 'off', more: { usual: defaultClientOptions.port.tls } }),
    tls: configNode({ node: 'tls-config', check: 'tls' }),
    clientCertificate: choice({
      choices: clientCertificates,
      default: defaultServerOptions.clientCertificate,
    }),
    wsPath: text({ default: defaultClientOptions.path, blank: 'off', check: 'optionalPath' }),
    trustedProxies: proxies(),
    proxyProtocol: toggle({ default: defaultServerOptions.proxyProtocol }),
    // The table of devices is a credential, which core does not validate: this property stands for its tab.
    anonymous: toggle({ default: defaultServerOptions.anonymous, check: 'devices' }),
    rules: deviceRuleList(),
    keepAlive: keepAlive(defaultServerOptions.keepAliveS),
    maxMessageSize: whole({
      unit: 'bytes',
      default: defaultServerOptions.maxMessageSize,
      ...serverRanges.maxMessageSize,
    }),
    deviceMemory: whole({ unit: 'MiB', ...deviceMemory }),
    maxConnections: whole({ default: defaultServerOptions.maxConnections, ...serverRanges.maxConnections }),
    requestTimeout: answerTime({ max: MAX_REQUEST_TIMEOUT_S }),
    mqtt: configNode({ node: 'mqtt-broker', required: false, check: 'mqtt' }),
    mqttPrefix: text({ default: 'iotmp/', blank: 'default', check: 'topicPrefix' }),
    // What a node without it means depends on whether Node-RED has a folder for files.
    storage: optional(choice({ choices: ['file', 'memory'], default: 'file' })),
    api: toggle({ default: true }),
    apiPath: text({ check: 'optionalPath' }),
  },
  {
    devices: { type: 'password' },
    // The editor never has the table: its dialog sends what changes.
    devicesChange: { type: 'password' },
    apiSecret: { type: 'password' },
  },
);
