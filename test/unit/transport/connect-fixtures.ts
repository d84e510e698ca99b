import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { connectTransport, type ConnectOptions, type ConnectTarget } from '../../../src/transport/connect';
import { IotmpError } from '../../../src/errors';
import { SocketTransport } from '../../../src/transport/socket-transport';
import type { Transport } from '../../../src/transport/transport';
import { createWebSocketAcceptor } from '../../../src/transport/web-socket-acceptor';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { closeServer, listen, portOf, Recorder, turns } from './fixtures';

export type Kind = ConnectTarget['transport'];

export const KINDS: readonly Kind[] = ['tcp', 'tls', 'ws', 'wss'];

/** Options that trust the servers of these tests. */
export const TRUST: ConnectOptions = { tls: { ca: TEST_ONLY_CERTIFICATE } };
const CREDENTIALS = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };

/** What a server saw of its clients. */
export interface Seen {
  readonly servernames: (string | false | null)[];
  readonly requests: http.IncomingMessage[];
}

/** A server that sends back what it gets. */
export function echoServer(kind: Kind, seen: Seen = { servernames: [], requests: [] }): net.Server {
  const echo = (transport: Transport) => {
    const recorder = new Recorder(transport);
    recorder.onChunk = (chunk) => transport.send(chunk);
  };
  if (kind === 'tcp') return net.createServer((socket) => echo(new SocketTransport(socket)));
  const server =
    kind === 'ws' ? http.createServer() : kind === 'wss' ? https.createServer(CREDENTIALS) : undefined;
  const secure = (socket: tls.TLSSocket) => seen.servernames.push(socket.servername);
  if (server === undefined) {
    const plain = tls.createServer(CREDENTIALS, (socket) => echo(new SocketTransport(socket)));
    return plain.on('secureConnection', secure);
  }
  const acceptor = createWebSocketAcceptor({ maxPayload: 1_048_576 });
  server.on('upgrade', (request: http.IncomingMessage, socket, head) => {
    seen.requests.push(request);
    acceptor.accept(request, socket, head, echo);
  });
  return server.on('secureConnection', secure);
}

/** What the network and the clock keep the process running for. */
function activeResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|TLS|Timeout|GetAddrInfo)/.test(name))
    .sort();
}

/** The servers and sockets of one test. */
export class Servers {
  readonly #servers: net.Server[] = [];
  readonly #sockets: Socket[] = [];
  readonly #before = activeResources();

  /** Counts also mocha's timer of the hook that begins, which runs only after the synchronous part of the hook. */
  static async begin(): Promise<Servers> {
    await Promise.resolve();
    return new Servers();
  }

  /** Listens; resolves to the port. */
  async serve(server: net.Server, host?: string): Promise<number> {
    this.#servers.push(await listen(server, host));
    return portOf(server);
  }

  /** A server that takes TCP connections and does with them what `use` says. */
  tcp(use: (socket: Socket) => void = () => undefined): net.Server {
    return net.createServer((socket) => {
      this.#sockets.push(socket);
      socket.on('error', () => undefined);
      use(socket);
    });
  }

  /** Ends the servers, and fails if anything is left of the connections that were made. */
  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map(closeServer));
    // Handles close in a turn of their own, look-ups of names on a thread.
    for (let i = 0; i < 100 && activeResources().join() !== this.#before.join(); i++) await turns(1);
    assert.deepEqual(activeResources(), this.#before);
  }
}

/** A port that nobody listens on. */
export async function unusedPort(): Promise<number> {
  const server = await listen(net.createServer());
  const port = portOf(server);
  await closeServer(server);
  return port;
}

/** The error of an attempt to connect that must fail. */
export async function refusal(target: ConnectTarget, options?: ConnectOptions): Promise<IotmpError> {
  const error: unknown = await connectTransport(target, options).then(
    () => assert.fail('connected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof IotmpError);
  return error;
}
