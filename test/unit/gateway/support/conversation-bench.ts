import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { IotmpServer } from '../../../../src/broker/broker';
import { MessageType } from '../../../../src/codec/constants';
import type { Message } from '../../../../src/codec/message';
import { decodeMessage } from '../../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../../src/codec/writing/message-encoder';
import { FrameDecoder } from '../../../../src/framing/frame-decoder';
import { Gateway } from '../../../../src/gateway/gateway';
import { ServerServices } from '../../../../src/services/server-services';
import { cleanUp } from '../../../support/clean-up';
import { PUMP } from '../../support/broker-fixture';
import { SECRET } from './gateway-bench';

/** How a device is connected. */
export type Way = 'tcp' | 'ws';

/** The connection of a device, which can be left unread. */
interface Line {
  write(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  cut(): void;
}

/** Counts bytes, and what they are. */
export class Digest {
  bytes = 0;
  readonly #hash: Hash = createHash('sha1');

  take(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
  }

  /** To be called once. */
  get text(): string {
    return `${this.bytes} ${this.#hash.digest('hex')}`;
  }
}

/** A server and a gateway on real sockets and in real time. */
export class ConversationBench {
  readonly server = new IotmpServer({ host: '127.0.0.1', tcpPort: 0, devices: [PUMP] });
  readonly #http = http.createServer();
  readonly #gateway: Gateway;
  readonly #services: ServerServices;
  #token = '';
  #port = 0;

  private constructor() {
    this.#services = new ServerServices(this.server, {});
    this.#gateway = new Gateway(this.server, this.#services, { secret: SECRET });
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.url === '/iotmp') this.server.handleUpgrade(request, socket, head);
      else this.#gateway.handleUpgrade(request, socket, head);
    });
  }

  static async start(): Promise<ConversationBench> {
    const bench = new ConversationBench();
    cleanUp(() => bench.#close());
    await bench.server.start();
    await bench.#gateway.start();
    bench.#http.listen(0, '127.0.0.1');
    await once(bench.#http, 'listening');
    bench.#port = (bench.#http.address() as AddressInfo).port;
    bench.#token = await bench.#gateway.createToken('anna', 'all', { allow: { '*': { '*': '*' } } });
    return bench;
  }

  /** What the server has counted as lost. */
  get losses(): ServerServices['losses']['counts'] {
    return this.#services.losses.counts;
  }

  /** anna's pump, let in. */
  async device(way: Way): Promise<StreamDevice> {
    const status = this.server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'listening');
    const device = new StreamDevice();
    cleanUp(() => device.cut());
    await device.connect(way, way === 'tcp' ? status.port : this.#port);
    return device;
  }

  /** A program in a conversation with the device. */
  async program(resource: string): Promise<WebSocket> {
    const path = `/v3/users/anna/devices/pump/resources/${resource}`;
    const url = `ws://127.0.0.1:${this.#port}${path}&authorization=${this.#token}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    cleanUp(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  }

  async #close(): Promise<void> {
    await this.#gateway.close();
    this.#services.close();
    await this.server.close();
    this.#http.closeAllConnections();
    this.#http.close();
  }
}

/** A device made of bytes: it takes one stream, answers calls, and can be left unread. */
export class StreamDevice {
  readonly received = new Digest();
  readonly sent = new Digest();
  /** Every STOP_STREAM that came. */
  readonly stops: Message[] = [];
  streamId = 0;
  ended = false;
  #line: Line | undefined;
  #roomWaiters: (() => void)[] = [];
  readonly #letIn = Promise.withResolvers<undefined>();
  readonly #frames = new FrameDecoder(1 << 24, {
    handleFrame: (type, bytes, start, end) => this.#handle(decodeMessage(type, bytes, start, end)),
  });

  async connect(way: Way, port: number): Promise<void> {
    this.#line = way === 'tcp' ? await this.#tcp(port) : await this.#webSocket(port);
    const { user, device, credential } = PUMP;
    this.#line.write(
      encodeMessage({ type: MessageType.CONNECT, streamId: 17767, payload: [user, device, credential] }),
    );
    await this.#letIn.promise;
  }

  /** Sends data in the stream; resolves when there is room for more. */
  async send(bytes: Buffer): Promise<void> {
    this.sent.take(bytes);
    const message = { type: MessageType.STREAM_DATA, streamId: this.streamId, payload: bytes };
    if (this.#line?.write(encodeMessage(message)) !== false || this.ended) return;
    await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Ends the stream. */
  stop(): void {
    this.#line?.write(encodeMessage({ type: MessageType.STOP_STREAM, streamId: this.streamId }));
  }

  pause(): void {
    this.#line?.pause();
  }

  resume(): void {
    this.#line?.resume();
  }

  cut(): void {
    this.#line?.cut();
  }

  async #tcp(port: number): Promise<Line> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end());
    socket.on('data', (chunk) => this.#frames.push(chunk));
    socket.on('drain', () => this.#makeRoom());
    await once(socket, 'connect');
    return {
      write: (bytes) => socket.write(bytes),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      cut: () => void socket.destroy(),
    };
  }

  async #webSocket(port: number): Promise<Line> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/iotmp`, 'iotmp', { perMessageDeflate: false });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end());
    socket.on('message', (data) => this.#frames.push(data as Buffer));
    await once(socket, 'open');
    return {
      write: (bytes) => {
        socket.send(bytes, () => this.#makeRoom());
        return socket.bufferedAmount < 65_536;
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      cut: () => socket.terminate(),
    };
  }

  #makeRoom(): void {
    for (const go of this.#roomWaiters.splice(0)) go();
  }

  #end(): void {
    this.ended = true;
    this.#makeRoom();
  }

  #handle(message: Message): void {
    const { type, streamId, payload } = message;
    const ok = (): unknown => this.#line?.write(encodeMessage({ type: MessageType.OK, streamId }));
    if (type === MessageType.OK) this.#letIn.resolve(undefined);
    else if (type === MessageType.STREAM_DATA) this.received.take(payload as Buffer);
    else if (type === MessageType.START_STREAM) {
      this.streamId = streamId ?? 0;
      ok();
    } else if (type === MessageType.STOP_STREAM) {
      this.stops.push(message);
      ok();
    } else if (type === MessageType.RUN || type === MessageType.DESCRIBE) ok();
  }
}
