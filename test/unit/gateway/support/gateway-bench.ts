import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import type { ServerOptions } from '../../../../src/broker/broker-options';
import { Gateway } from '../../../../src/gateway/gateway';
import type { GatewayOptions } from '../../../../src/gateway/gateway-options';
import { ServerServices } from '../../../../src/services/server-services';
import { openStore } from '../../../../src/store/open-store';
import type { Store } from '../../../../src/store/store';
import { cleanUp } from '../../../support/clean-up';
import { BrokerBench } from '../../support/broker-fixture';
import { RawDevice, type RawDeviceOptions, type RawResource } from '../../support/raw-device';
import { Type } from '../../support/raw-message';

export const SECRET = 'a secret of the tests';
const EVERYTHING = { allow: { '*': { '*': '*' } } } as const;

/** An answer as a plain HTTP client sees it. */
export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON; `undefined` when there is none. */
  readonly body: unknown;
}

/** What is asked: a token of its own, `null` for none; a body as JSON, or bytes as they are. */
export interface Ask {
  readonly token?: string | null;
  readonly body?: unknown;
  readonly raw?: string | Buffer;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** A gateway on a real HTTP server, with a broker behind it. */
export class GatewayBench {
  readonly broker: BrokerBench;
  readonly gateway: Gateway;
  readonly services: ServerServices;
  /** A token of anna's that allows everything. */
  token = '';
  port = 0;
  readonly warnings: string[] = [];
  /** Requests that the gateway left alone. */
  readonly foreign: string[] = [];
  readonly #http: http.Server;
  /** Of the bench's own, where the test gave none. */
  readonly #ownStore: Promise<Store> | undefined;
  readonly #sockets: SocketClient[] = [];

  private constructor(broker: BrokerBench, options: Partial<GatewayOptions>) {
    this.broker = broker;
    const { clock } = broker;
    this.#ownStore = options.store === undefined ? openStore({ memory: true }) : undefined;
    const store = options.store ?? this.#ownStore;
    const stored = store === undefined ? {} : { store };
    this.services = new ServerServices(broker.server, {
      ...stored,
      locks: { clock },
      buckets: { clock },
      endpoints: { clock },
      topics: { clock },
    });
    this.gateway = new Gateway(broker.server, this.services, {
      secret: SECRET,
      clock,
      ...stored,
      onWarning: (text) => this.warnings.push(text),
      users: [
        { user: 'anna', password: 'annas password' },
        { user: 'bert', password: 'berts password' },
        { user: 'root', password: 'roots password', role: 'admin' },
      ],
      ...options,
    });
    this.#http = http.createServer((request, response) => {
      if (this.gateway.handle(request, response)) return;
      this.foreign.push(request.url ?? '');
      response.writeHead(418).end();
    });
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.gateway.handleUpgrade(request, socket, head)) return;
      this.foreign.push(request.url ?? '');
      socket.destroy();
    });
  }

  static async start(
    options: Partial<GatewayOptions> = {},
    serverOptions: ServerOptions = {},
  ): Promise<GatewayBench> {
    const benches: GatewayBench[] = [];
    // Before that of the broker, which looks for timers that were left behind.
    cleanUp(() => Promise.all(benches.map((one) => one.close())));
    const bench = new GatewayBench(await BrokerBench.start(serverOptions), options);
    benches.push(bench);
    await bench.gateway.start();
    bench.#http.listen(0, '127.0.0.1');
    await once(bench.#http, 'listening');
    bench.port = (bench.#http.address() as AddressInfo).port;
    bench.token = await bench.gateway.createToken('anna', 'all', EVERYTHING);
    return bench;
  }

  get server(): BrokerBench['server'] {
    return this.broker.server;
  }

  /** A token of a user that allows everything, or what is said. */
  tokenOf(
    user: string,
    allow: Record<string, Record<string, '*' | string[]>> = EVERYTHING.allow,
  ): Promise<string> {
    return this.gateway.createToken(user, `t${Math.random().toString(36).slice(2)}`, { allow });
  }

  /** anna's pump, with these resources. */
  async device(
    resources: Readonly<Record<string, RawResource>> = {},
    options: Partial<RawDeviceOptions> = {},
  ): Promise<RawDevice> {
    const device = new RawDevice(this.broker.memory(), options);
    for (const [name, resource] of Object.entries(resources)) device.resources.set(name, resource);
    device.connect();
    assert.equal((await device.next()).type, Type.OK, 'the device is not let in');
    await this.broker.clock.settle();
    return device;
  }

  /** Sends a request as it is said, whatever it is. */
  async ask(
    method: string,
    path: string,
    { token = this.token, body, raw, headers = {} }: Ask = {},
  ): Promise<Answer> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const all: http.OutgoingHttpHeaders = { ...headers };
    if (token !== null) all.Authorization = `Bearer ${token}`;
    if (body !== undefined) all['Content-Type'] ??= 'application/json; charset=utf-8';
    if (sent !== undefined) all['Content-Length'] = Buffer.byteLength(sent);
    const request = http.request({
      port: this.port,
      host: '127.0.0.1',
      method,
      path,
      headers: all,
      agent: false,
    });
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    request.end(sent);
    const [response] = await answered;
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const type = response.headers['content-type'];
    const isJson = bytes.length > 0 && type?.startsWith('application/json') === true;
    return {
      status: response.statusCode ?? 0,
      type,
      headers: response.headers,
      bytes,
      body: isJson ? JSON.parse(bytes.toString()) : undefined,
    };
  }

  get(path: string, ask?: Ask): Promise<Answer> {
    return this.ask('GET', path, ask);
  }

  post(path: string, body?: unknown, ask?: Ask): Promise<Answer> {
    return this.ask('POST', path, { ...ask, body });
  }

  /** Opens a WebSocket; rejects with the status of a refusal. */
  async socket(path: string, { token = this.token, headers = {} }: Ask = {}): Promise<SocketClient> {
    const query = token === null ? '' : `${path.includes('?') ? '&' : '?'}authorization=${token}`;
    const webSocket = new WebSocket(`ws://127.0.0.1:${this.port}${path}${query}`, {
      headers: headers as Record<string, string>,
    });
    const client = new SocketClient(webSocket);
    this.#sockets.push(client);
    await new Promise<void>((resolve, reject) => {
      webSocket.once('open', resolve);
      webSocket.once('error', reject);
      webSocket.once('unexpected-response', (_request, response) => {
        response.resume();
        reject(new Error(`refused with ${response.statusCode}`));
      });
    });
    return client;
  }

  /** The metrics of this name, as text; of all with ''. */
  metric(name: string): string {
    const lines = this.gateway.metrics().split('\n');
    return lines.filter((line) => name === '' || line.startsWith(name)).join('\n');
  }

  /** Cuts all WebSockets, those that are being opened too. */
  dropSockets(): void {
    for (const client of this.#sockets) client.webSocket.terminate();
  }

  /** Waits for what comes over sockets. */
  until(condition: () => boolean): Promise<void> {
    return this.broker.until(condition);
  }

  async close(): Promise<void> {
    this.dropSockets();
    await this.gateway.close();
    this.services.close();
    await (await this.#ownStore)?.close();
    this.#http.closeAllConnections();
    this.#http.close();
    assert.deepEqual(this.warnings, []);
  }
}

/** A WebSocket client that writes down what it gets. */
export class SocketClient {
  readonly webSocket: WebSocket;
  readonly frames: (string | Buffer)[] = [];
  closeCode: number | undefined;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      this.frames.push(isBinary ? bytes : bytes.toString());
    });
    webSocket.on('close', (code) => {
      this.closeCode = code;
    });
    webSocket.on('error', () => undefined);
  }

  /** The text frames, as JSON. */
  get messages(): Record<string, unknown>[] {
    return this.frames
      .filter((frame) => typeof frame === 'string')
      .map((frame) => JSON.parse(frame) as Record<string, unknown>);
  }

  /** Resolves when the server has heard what was sent, and its answers are here. */
  async synced(): Promise<void> {
    this.webSocket.ping();
    await once(this.webSocket, 'pong');
  }

  send(frame: unknown): void {
    this.webSocket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }
}

/** The message of an error body, as clients read it. */
export function errorOf({ body }: Answer): string | undefined {
  return (body as { error?: { message?: string } } | undefined)?.error?.message;
}
