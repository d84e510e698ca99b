import { ServerServices, type IotmpServer } from '../../src';

const known = new WeakMap<IotmpServer, ServerServices>();

/** The services of a server. They live as long as it does, also over a deploy. */
export function servicesOf(server: IotmpServer): ServerServices {
  const services = known.get(server) ?? new ServerServices(server);
  known.set(server, services);
  return services;
}

/** Ends a server for good, with its services. */
export async function closeServer(server: IotmpServer): Promise<void> {
  known.get(server)?.close();
  await server.close();
}
