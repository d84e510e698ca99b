import { createServer } from 'node:http';
import type { IotmpServer, ServerOptions } from '../../src/index';
import { makeCertificate } from './certificate';
import { listen } from './listen';
import type { LoadTransport } from './load-generator';
import { serverPort } from './server-port';

/** Options of a server that takes connections of one kind only. */
export function listenerOptions(transport: LoadTransport): ServerOptions {
  switch (transport) {
    case 'tcp':
      return { tcpPort: 0 };
    case 'tls':
      return { tcpPort: undefined, tlsPort: 0, tls: makeCertificate() };
    case 'ws':
      return { tcpPort: undefined };
  }
}

/** Starts a server, behind an HTTP server where its connections are WebSockets; resolves with the port. */
export async function startOn(server: IotmpServer, transport: LoadTransport): Promise<number> {
  await server.start();
  if (transport !== 'ws') return serverPort(server, transport);
  const http = createServer();
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  return listen(http);
}
