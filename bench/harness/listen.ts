import { once } from 'node:events';
import type { Server } from 'node:net';

/** Has a server listen on any free port of this machine; resolves with it. */
export async function listen(server: Server): Promise<number> {
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
