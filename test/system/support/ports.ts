import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const given = new Set<number>();

/** A TCP port of 127.0.0.1 that nobody listens on, and that no earlier call has given. */
export async function freePort(): Promise<number> {
  const { port, release } = await takePort();
  await release();
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}

/** Listens on a port of 127.0.0.1, so that nobody else can, until it is released. */
export async function takePort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server), release: () => close(server) };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
