import type { ServerOptions } from '../../src/index';
import { credentialOf, deviceName, forDevices, USER } from '../wire/device-names';

/** Options of a server with as many registered devices, and such a keep-alive interval, as the suite asks for. */
export function iotmpOptions(options: Readonly<Record<string, unknown>>): ServerOptions {
  const count = Number(options.devices);
  return {
    host: '127.0.0.1',
    tcpPort: 0,
    maxConnections: count + 10,
    ...(typeof options.keepAliveS === 'number' ? { keepAliveS: options.keepAliveS } : {}),
    devices: forDevices(count, (index) => ({
      user: USER,
      device: deviceName(index),
      credential: credentialOf(index),
    })),
  };
}
