import { createServer } from 'node:net';
import type { Aedes } from 'aedes' with { 'resolution-mode': 'import' };
import { credentialOf, deviceName, forDevices } from '../wire/device-names';
import { listen } from './listen';

/** An aedes that listens, with as many registered clients as the suite asks for, or open to all of them. */
export async function startAedes(
  options: Readonly<Record<string, unknown>>,
): Promise<{ broker: Aedes; port: number }> {
  const { Aedes: Broker } = await import('aedes');
  const count = Number(options.devices);
  const credentials = new Map(forDevices(count, (index) => [deviceName(index), credentialOf(index)]));
  const broker = await Broker.createBroker(
    options.anonymous === true
      ? {}
      : {
          authenticate: ({ id }, _user, password, done) =>
            done(null, credentials.get(id) === password?.toString()),
        },
  );
  const server = createServer({ noDelay: true }, (socket) => broker.handle(socket));
  return { broker, port: await listen(server) };
}
