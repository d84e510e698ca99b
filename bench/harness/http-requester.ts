import type { Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

/** Sends the same request again and again over one connection, and reads no more of an answer than where it ends. */
export class HttpRequester {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #rest: Buffer | undefined;
  #done: (() => void) | undefined;
  /** Number of answers so far. */
  answered = 0;

  /** @param request the whole of it, with its headers */
  constructor(socket: Socket, request: string) {
    this.#socket = socket;
    this.#request = Buffer.from(request, 'latin1');
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('close', () => {
      throw new Error('the server has closed a connection');
    });
  }

  /** Only one request is under way at a time. */
  request(done: () => void): void {
    this.#done = done;
    this.#socket.write(this.#request);
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd < 0 || bytes.length < headEnd + HEAD_END.length + bodyLength(bytes, headEnd)) {
      this.#rest = bytes;
      return;
    }
    this.#rest = undefined;
    this.answered++;
    this.#done?.();
  }
}

function bodyLength(bytes: Buffer, headEnd: number): number {
  const head = bytes.toString('latin1', 0, headEnd);
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`not served: ${bytes.toString('latin1')}`);
  return Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1]);
}
