import type { Socket } from 'node:net';
import { errorText } from '../errors';
import type { Clock, Timer } from '../util/clock';
import { guarded } from '../util/guard';
import type { ConnectionRefusal } from './connection-refusal';
import { remoteAddressOf } from './host-and-port';
import { readProxyHeader, type ProxyHeader } from './proxy-header';
import type { ConnectionOrigin, Newcomer, WaitingPlace } from './waiting-place';

/** What becomes of the connections of trusted proxies. */
export interface ProxyHeadersPort {
  readonly kind: 'tcp' | 'tls';
  readonly clock: Clock;
  /** Time for the whole header, in ms. */
  readonly timeoutMs: number;
  /** Gives a place to a connection that begins; without one it is cut. */
  onArrival(origin: ConnectionOrigin): WaitingPlace | undefined;
  onRefused(refusal: ConnectionRefusal): void;
  /** The header is read. The socket is paused and gives what came behind the header; the place is free again. */
  onRead(socket: Socket, remoteAddress: string): void;
}

/** The connections of trusted proxies whose PROXY header is not read yet. */
export class ProxyHeaders {
  readonly #port: ProxyHeadersPort;
  readonly #pending = new Set<PendingHeader>();

  constructor(port: ProxyHeadersPort) {
    this.#port = port;
  }

  /** Reads the header of a connection. */
  read(socket: Socket): void {
    const remoteAddress = remoteAddressOf(socket);
    const place = this.#port.onArrival({ kind: this.#port.kind, remoteAddress });
    if (place === undefined) {
      socket.destroy();
      return;
    }
    const pending = new PendingHeader(socket, this.#port, (header) => {
      this.#pending.delete(pending);
      place.leave();
      if (header !== undefined) this.#port.onRead(socket, header.remoteAddress ?? remoteAddress);
    });
    place.holder = pending;
    this.#pending.add(pending);
  }

  /** Cuts all of them. */
  cut(): void {
    for (const pending of [...this.#pending]) pending.cut();
  }
}

/** A header that is being read. */
class PendingHeader implements Newcomer {
  readonly #socket: Socket;
  readonly #port: ProxyHeadersPort;
  readonly #origin: ConnectionOrigin;
  readonly #onEnd: (header: ProxyHeader | undefined) => void;
  readonly #timer: Timer;
  readonly #off: () => void;
  #bytes = Buffer.alloc(0);
  #ended = false;

  /** @param onEnd is called once: with the header, or without it when the connection was cut or has ended */
  constructor(socket: Socket, port: ProxyHeadersPort, onEnd: (header: ProxyHeader | undefined) => void) {
    this.#socket = socket;
    this.#port = port;
    this.#origin = { kind: port.kind, remoteAddress: remoteAddressOf(socket) };
    this.#onEnd = onEnd;
    this.#timer = port.clock.after(port.timeoutMs, () =>
      this.#refuse('timeout', 'the PROXY header did not come in time'),
    );
    const onFault = (error: unknown): void => this.#refuse('proxy', errorText(error));
    const onData = guarded('PROXY header data', onFault, (chunk: Buffer) => this.#take(chunk));
    const onGone = guarded('PROXY header gone', onFault, () => this.#handleGone());
    socket.on('data', onData).on('end', onGone).on('error', onGone).on('close', onGone);
    this.#off = () => socket.off('data', onData).off('end', onGone).off('error', onGone).off('close', onGone);
  }

  get hasSent(): boolean {
    return this.#socket.bytesRead > 0;
  }

  turnOut(text: string): void {
    this.#refuse('crowded', text);
  }

  cut(): void {
    this.#end(undefined);
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const header = readProxyHeader(this.#bytes);
    if (header === undefined) return;
    this.#socket.pause();
    const rest = this.#bytes.subarray(header.size);
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#end(header);
  }

  /** A proxy that sends nothing looked only whether the port is open. */
  #handleGone(): void {
    if (this.hasSent)
      this.#refuse('proxy', 'the proxy closed the connection before the end of the PROXY header');
    else this.cut();
  }

  #refuse(reason: ConnectionRefusal['reason'], text: string): void {
    if (this.#ended) return;
    this.cut();
    this.#port.onRefused({ ...this.#origin, reason, text });
  }

  #end(header: ProxyHeader | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.cancel();
    this.#off();
    this.#onEnd(header);
  }
}
