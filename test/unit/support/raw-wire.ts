import { randomBytes } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { reset } from './reset';

/** What a raw device hears of its connection. */
export interface RawWireHandler {
  /** Bytes of the server: one chunk for each read of the system, or for each WebSocket frame. */
  onChunk(chunk: Buffer): void;
  /** The server has ended its side. */
  onEnd(): void;
  /** The connection is gone. */
  onClose(): void;
}

/** A connection below a raw device. */
export interface RawWire {
  start(handler: RawWireHandler): void;
  /** Sends these bytes; over WebSocket as one frame. */
  write(bytes: Buffer): void;
  /** Ends this side in good order. */
  end(): void;
  /** Cuts the connection; on TCP with RST. */
  cut(): void;
}

/**
 * A TCP connection to a port of this machine. The socket keeps its side open when the server ends its own.
 * @param localAddress that the server sees, such as 127.0.0.9
 */
export function tcpWire(port: number, host = '127.0.0.1', localAddress?: string): Promise<RawWire> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host, localAddress, noDelay: true, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new SocketWire(socket));
    });
  });
}

/** A TLS connection that checks no certificate, as the Linux client's. */
export function tlsWire(port: number, options: tls.ConnectionOptions = {}): Promise<RawWire> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve(new SocketWire(socket));
    });
  });
}

class SocketWire implements RawWire {
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
  }

  start(handler: RawWireHandler): void {
    this.#socket.on('data', (chunk: Buffer) => handler.onChunk(chunk));
    this.#socket.on('end', () => handler.onEnd());
    this.#socket.on('close', () => handler.onClose());
    if (this.#socket.closed) handler.onClose();
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  cut(): void {
    if (this.#socket instanceof tls.TLSSocket) this.#socket.destroy();
    else reset(this.#socket);
  }
}

/** A WebSocket frame as the server sent it. */
export interface RawFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A WebSocket connection that is made by hand, with the handshake of the Linux client. */
export class WebSocketWire implements RawWire {
  /** The server's answer to the handshake. */
  readonly answer: string;
  /** Every frame of the server. */
  readonly frames: RawFrame[] = [];
  readonly #socket: net.Socket;
  /** Opcode of the frames that {@link write} sends: the Linux client's are text. */
  opcode = 1;
  #rest: Buffer;

  private constructor(socket: net.Socket, answer: string, rest: Buffer) {
    this.#socket = socket;
    this.answer = answer;
    this.#rest = rest;
    socket.on('error', () => undefined);
  }

  static async connect(
    port: number,
    path = '/iotmp',
    headers: readonly string[] = [],
  ): Promise<WebSocketWire> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Protocol: iotmp',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      'User-Agent: ThingerHTTP/2.0',
      ...headers,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let received = Buffer.alloc(0);
    const end = await new Promise<number>((resolve, reject) => {
      socket.once('error', reject);
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const at = received.indexOf('\r\n\r\n');
        if (at >= 0) resolve(at + 4);
      });
      socket.once('close', () => reject(new Error('no answer to the handshake')));
    });
    socket.removeAllListeners();
    return new WebSocketWire(socket, received.subarray(0, end).toString(), received.subarray(end));
  }

  start(handler: RawWireHandler): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      this.#readFrames(handler);
    });
    this.#socket.on('end', () => handler.onEnd());
    this.#socket.on('close', () => handler.onClose());
    this.#readFrames(handler);
  }

  write(bytes: Buffer): void {
    this.writeFrame(this.opcode, bytes);
  }

  /** Sends one masked frame. */
  writeFrame(opcode: number, payload: Buffer, fin = true): void {
    const mask = randomBytes(4);
    const long = payload.length > 125;
    const head = Buffer.alloc(long ? 4 : 2);
    head[0] = (fin ? 0x80 : 0) | opcode;
    head[1] = 0x80 | (long ? 126 : payload.length);
    if (long) head.writeUInt16BE(payload.length, 2);
    const masked = Buffer.from(payload.map((byte, i) => byte ^ mask[i & 3]!));
    this.writeRaw(Buffer.concat([head, mask, masked]));
  }

  /** Sends bytes that may be no frames. */
  writeRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.writeFrame(8, Buffer.alloc(0));
  }

  cut(): void {
    reset(this.#socket);
  }

  #readFrames(handler: RawWireHandler): void {
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
      this.frames.push(frame);
      if (frame.opcode <= 2) handler.onChunk(frame.payload);
      if (frame.opcode === 8) this.#socket.end();
    }
  }

  #takeFrame(): RawFrame | undefined {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    let size = bytes[1]! & 127;
    let start = 2;
    if (size === 126) {
      if (bytes.length < 4) return undefined;
      size = bytes.readUInt16BE(2);
      start = 4;
    } else if (size === 127) {
      if (bytes.length < 10) return undefined;
      size = Number(bytes.readBigUInt64BE(2));
      start = 10;
    }
    if (bytes.length < start + size) return undefined;
    this.#rest = bytes.subarray(start + size);
    return {
      fin: bytes[0]! >= 128,
      opcode: bytes[0]! & 15,
      masked: bytes[1]! >= 128,
      payload: bytes.subarray(start, start + size),
    };
  }
}
