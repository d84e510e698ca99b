import { once } from 'node:events';
import net from 'node:net';
import { reset } from '../../support/reset';

/** A TCP connection that sends bytes as they are, and keeps what comes back. */
export class RawSocket {
  /** Whether the connection is gone, or the server has ended its side. */
  ended = false;
  readonly closed: Promise<unknown>;
  readonly socket: net.Socket;
  readonly #received: Buffer[] = [];

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#received.push(chunk));
    socket.on('end', () => {
      this.ended = true;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.ended = true;
        resolve(undefined);
      });
    });
  }

  static async connect(port: number): Promise<RawSocket> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawSocket(socket);
  }

  /** What came so far, as text of one character a byte. */
  get text(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }

  /** Sends bytes; a string is text of one character a byte. */
  write(bytes: Buffer | string): void {
    if (this.socket.writable)
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  end(): void {
    this.socket.end();
  }

  /** Cuts the connection with RST. */
  cut(): void {
    if (!this.socket.destroyed) reset(this.socket);
  }
}
