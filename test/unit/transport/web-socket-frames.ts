import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Transport } from '../../../src/transport/transport';
import {
  createWebSocketAcceptor,
  type WebSocketAcceptorOptions,
} from '../../../src/transport/web-socket-acceptor';
import { closeServer, listen, portOf, socketClosed } from './fixtures';

/** Opcodes of RFC 6455. */
export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** One frame as a client sends it: masked. */
export function clientFrame(opcode: number, payload: Buffer, fin = true): Buffer {
  const mask = randomBytes(4);
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | Math.min(payload.length, 126);
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ mask[i & 3]!));
  return Buffer.concat([head, mask, masked]);
}

/** A frame as it was read. */
export interface Frame {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** All whole frames in `bytes`, unmasked as a server sends them. */
export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    let length = bytes[at + 1]! & 0x7f;
    let start = at + 2;
    if (length === 126) {
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(start));
      start += 8;
    }
    if (start + length > bytes.length) break;
    frames.push({
      fin: bytes[at]! >= 0x80,
      reserved: bytes[at]! & 0x70,
      opcode: bytes[at]! & 0x0f,
      masked: bytes[at + 1]! >= 0x80,
      payload: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return frames;
}

/** A client that speaks to an acceptor byte by byte, as `ws` would not. */
export interface RawClient {
  readonly socket: net.Socket;
  readonly transport: Transport;
  /** The acceptor's answer to the handshake. */
  readonly answer: string;
  /** What came after the answer. */
  readonly received: () => Buffer;
  dispose(): Promise<void>;
}

const HANDSHAKE = [
  'GET /iotmp HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** Connects with the handshake and `headers`; `early` is sent in the same write. */
export async function rawClient(
  options: Partial<WebSocketAcceptorOptions> = {},
  headers: readonly string[] = ['Sec-WebSocket-Protocol: iotmp'],
  early: Buffer = Buffer.alloc(0),
): Promise<RawClient> {
  const acceptor = createWebSocketAcceptor({ maxPayload: 1_048_576, ...options });
  const server = await listen(http.createServer());
  const accepted = new Promise<Transport>((resolve) => {
    server.once('upgrade', (request, socket, head) => acceptor.accept(request, socket, head, resolve));
  });
  const socket = net.connect(portOf(server), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([Buffer.from([...HANDSHAKE, ...headers, '', ''].join('\r\n')), early]));
  const bytes = () => Buffer.concat(chunks);
  while (!bytes().includes('\r\n\r\n')) await once(socket, 'data');
  const end = bytes().indexOf('\r\n\r\n') + 4;
  return {
    socket,
    transport: await accepted,
    answer: bytes().subarray(0, end).toString(),
    received: () => bytes().subarray(end),
    async dispose() {
      socket.destroy();
      (await accepted).destroy();
      await socketClosed(socket);
      acceptor.close();
      await closeServer(server);
    },
  };
}
