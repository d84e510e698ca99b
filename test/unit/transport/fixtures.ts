import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { SocketTransport } from '../../../src/transport/socket-transport';
import type { Transport, TransportHandler } from '../../../src/transport/transport';
import type { TransportOptions } from '../../../src/transport/transport-options';
import { createWebSocketAcceptor } from '../../../src/transport/web-socket-acceptor';
import { maxPayloadFor, SUBPROTOCOL, webSocketSettings } from '../../../src/transport/web-socket-settings';
import { WebSocketTransport } from '../../../src/transport/web-socket-transport';
import type { Clock, Timer } from '../../../src/util/clock';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';

/** A clock that stands still until it is told. */
export class HeldClock implements Clock {
  readonly #timers = new Map<Timer, { readonly ms: number; readonly callback: () => void }>();

  now(): number {
    return 0;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { cancel: () => this.#timers.delete(timer) };
    this.#timers.set(timer, { ms, callback });
    return timer;
  }

  /** Milliseconds of the timers that are running. */
  get running(): number[] {
    return [...this.#timers.values()].map((timer) => timer.ms);
  }

  /** Lets every timer run out. */
  expire(): void {
    const due = [...this.#timers.values()];
    this.#timers.clear();
    for (const { callback } of due) callback();
  }
}

/** Writes down what a transport tells, and resolves when what a test waits for has come. */
export class Recorder implements TransportHandler {
  readonly chunks: Buffer[] = [];
  readonly ends: (Error | undefined)[] = [];
  drains = 0;
  bytes = 0;
  /** Runs on every drain. */
  onDrained: () => void = () => undefined;
  /** Runs on every chunk, after it was written down. */
  onChunk: (chunk: Buffer) => void = () => undefined;
  readonly #waits: { readonly ready: () => boolean; readonly resolve: () => void }[] = [];

  constructor(transport?: Transport) {
    transport?.start(this);
  }

  onData(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    this.onChunk(chunk);
    this.#settle();
  }

  onDrain(): void {
    this.drains++;
    this.onDrained();
    this.#settle();
  }

  onClose(error?: Error): void {
    this.ends.push(error);
    this.#settle();
  }

  get data(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Resolves once at least `bytes` have arrived. */
  received(bytes: number): Promise<void> {
    return this.#until(() => this.bytes >= bytes);
  }

  drained(): Promise<void> {
    return this.#until(() => this.drains > 0);
  }

  closed(): Promise<void> {
    return this.#until(() => this.ends.length > 0);
  }

  #until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => this.#waits.push({ ready, resolve }));
  }

  #settle(): void {
    for (const wait of this.#waits) if (wait.ready()) wait.resolve();
  }
}

/** Two connected transports: `near` connected, `far` accepted. */
export interface Pair {
  readonly near: Transport;
  readonly far: Transport;
  /** Ends what is left; resolves when nothing is. */
  dispose(): Promise<void>;
}

/** The socket pair below a {@link Pair}. */
export interface SocketPair {
  readonly near: net.Socket;
  readonly far: net.Socket;
  dispose(): Promise<void>;
}

/** The port of a listening server. */
export function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

/** Listens on a free port of the loopback interface. */
export async function listen<S extends net.Server>(server: S, host = '127.0.0.1'): Promise<S> {
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

/** Closes a server and waits for it; the connections must end by themselves. */
export async function closeServer(server: net.Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

/** Resolves when `socket` is closed. Its errors are of no interest. */
export async function socketClosed(socket: net.Socket): Promise<void> {
  socket.on('error', () => undefined);
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

async function destroyAll(...sockets: net.Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map(socketClosed));
}

export async function tcpSockets(): Promise<SocketPair> {
  const server = await listen(net.createServer());
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const near = net.connect(portOf(server), '127.0.0.1');
  await once(near, 'connect');
  const [far] = await accepted;
  return {
    near,
    far,
    async dispose() {
      await destroyAll(near, far);
      await closeServer(server);
    },
  };
}

export async function tlsSockets(): Promise<SocketPair> {
  const server = await listen(tls.createServer({ key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE }));
  const accepted = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
  const near = tls.connect({ port: portOf(server), host: '127.0.0.1', ca: TEST_ONLY_CERTIFICATE });
  await once(near, 'secureConnect');
  const [far] = await accepted;
  return {
    near,
    far,
    async dispose() {
      await destroyAll(near, far);
      await closeServer(server);
    },
  };
}

async function overSockets(sockets: SocketPair, options?: TransportOptions): Promise<Pair> {
  const near = new SocketTransport(sockets.near, options);
  const far = new SocketTransport(sockets.far, options);
  return Promise.resolve({ near, far, dispose: () => sockets.dispose() });
}

/** A WebSocket connection to an acceptor, with the client as the `ws` object that it is. */
export interface AcceptedWebSocket {
  readonly client: WebSocket;
  /** The socket below `client`. */
  readonly nearSocket: net.Socket;
  readonly far: Transport;
  /** The socket below `far`. */
  readonly farSocket: net.Socket;
  dispose(): Promise<void>;
}

/** `onOpen` runs in the turn in which the client opens. */
export async function acceptedWebSocket(
  options?: TransportOptions & { readonly maxPayload?: number },
  onOpen: (client: WebSocket, socket: net.Socket) => void = () => undefined,
): Promise<AcceptedWebSocket> {
  const acceptor = createWebSocketAcceptor({ maxPayload: maxPayloadFor(262_144), ...options });
  const server = await listen(http.createServer());
  const accepted = new Promise<{ far: Transport; farSocket: net.Socket }>((resolve) => {
    server.once('upgrade', (request, socket, head) => {
      if (!(socket instanceof net.Socket)) throw new TypeError('not a socket');
      acceptor.accept(request, socket, head, (far) => resolve({ far, farSocket: socket }));
    });
  });
  const nearSocket = net.connect(portOf(server), '127.0.0.1');
  const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}/iotmp`, SUBPROTOCOL, {
    ...webSocketSettings(maxPayloadFor(262_144), 30_000),
    createConnection: () => nearSocket,
  });
  client.once('open', () => onOpen(client, nearSocket));
  await once(client, 'open');
  const { far, farSocket } = await accepted;
  return {
    client,
    nearSocket,
    far,
    farSocket,
    async dispose() {
      client.on('error', () => undefined);
      await destroyAll(nearSocket, farSocket);
      acceptor.close();
      await closeServer(server);
    },
  };
}

async function webSocketPair(options?: TransportOptions): Promise<Pair> {
  let near: Transport | undefined;
  const accepted = await acceptedWebSocket({ ...options, maxPayload: 16_000_000 }, (client, socket) => {
    near = new WebSocketTransport(client, socket, options);
  });
  return { near: near!, far: accepted.far, dispose: () => accepted.dispose() };
}

function memoryPair(options: Parameters<typeof createMemoryPair>[0]): Promise<Pair> {
  const [near, far] = createMemoryPair(options);
  return Promise.resolve({
    near,
    far,
    dispose() {
      near.destroy();
      far.destroy();
      return Promise.resolve();
    },
  });
}

/** Every transport there is, by name. */
export const pairs: Readonly<Record<string, (options?: TransportOptions) => Promise<Pair>>> = {
  tcp: async (options) => overSockets(await tcpSockets(), options),
  tls: async (options) => overSockets(await tlsSockets(), options),
  ws: webSocketPair,
  memory: (options) => memoryPair({ ...options, windowBytes: 200_000 }),
  'memory, chopped': (options) =>
    memoryPair({ ...options, windowBytes: 200_000, delivery: 'immediate', chunkBytes: 997 }),
};

/** Lets the event loop turn `turns` times: whatever could have happened at once has happened then. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Bytes in which every position can be told from its neighbours. */
export function pattern(length: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff;
  return bytes;
}
