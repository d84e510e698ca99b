import { defaultClientOptions } from '../../src';
import { choice, configNode, optional, port, text, toggle } from './kinds';
import { nodeSettings } from './setting';
import { keepAlive } from './shared';

/** Settings of the `iotmp-client` node. */
export const clientTable = nodeSettings(
  'iotmp-client',
  {
    host: text({ check: 'host' }),
    // A node without a port means the usual one of its transport.
    port: optional(
      port({ default: defaultClientOptions.port.tcp, more: { usual: defaultClientOptions.port } }),
    ),
    transport: choice({
      choices: ['tcp', 'tls', 'ws', 'wss'],
      default: defaultClientOptions.transport,
    }),
    path: text({ default: defaultClientOptions.path, blank: 'default', check: 'webSocketPath' }),
    tls: configNode({ node: 'tls-config', required: false }),
    user: text({ check: 'filled', shared: true }),
    device: text({ check: 'filled', shared: true }),
    keepAlive: keepAlive(defaultClientOptions.keepAliveS),
    compactStreams: toggle({ default: defaultClientOptions.compactStreams }),
  },
  { credential: { type: 'password' } },
);
