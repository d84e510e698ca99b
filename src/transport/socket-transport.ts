import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Timer } from '../util/clock';
import { Delivery } from './delivery';
import { FlushSchedule, type Flushable } from './flush-schedule';
import { remoteAddressOf } from './host-and-port';
import { transportSettings, type TransportOptions, type TransportSettings } from './transport-options';
import { listenTo, type SocketListener } from './socket-events';
import type { Transport, TransportHandler } from './transport';
import { WriteBatch, type WriteCallback } from './write-batch';
import { guarded, warnProcess } from '../util/guard';
import { asError } from '../errors';

/**
 * A TCP or TLS connection (`protocol.md` section 1). Takes over a connected socket: nobody else may listen, write
 * or end it. Messages leave together in one write, up to 64 KiB of them, as {@link FlushSchedule} says; a lone one is
 * written at the end of its turn and never copied.
 */
export class SocketTransport implements Transport, Flushable, SocketListener {
  readonly kind: 'tcp' | 'tls';
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #settings: TransportSettings;
  readonly #delivery: Delivery;
  readonly #batch = new WriteBatch();
  readonly #schedule = new FlushSchedule(this);
  #open = true;
  #drainWanted = false;
  #error: Error | undefined;
  #grace: Timer | undefined;

  /** @param remoteAddress of the client, where that is not the other end of the socket */
  constructor(socket: Socket, options?: TransportOptions, remoteAddress = remoteAddressOf(socket)) {
    this.kind = socket instanceof TLSSocket ? 'tls' : 'tcp';
    this.remoteAddress = remoteAddress;
    this.#socket = socket;
    this.#settings = transportSettings(options);
    this.#delivery = new Delivery(socket, this);
    socket.setNoDelay(true);
    socket.pause();
    listenTo(socket, this);
    if (socket.closed) this.#closeLater();
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#batch.bytes + this.#socket.writableLength;
  }

  peerCertificate(): X509Certificate | undefined {
    const socket = this.#socket;
    return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  }

  start(handler: TransportHandler): void {
    this.#delivery.start(handler);
  }

  send(message: Buffer): boolean {
    if (!this.#open || message.length === 0) return true;
    if (this.#batch.add(message)) this.#schedule.request();
    // Known before the flush, which asks to be told of its end only then: that costs more than all else here.
    if (this.#batch.bytes + this.#socket.writableLength > this.#settings.highWaterMark)
      this.#drainWanted = true;
    if (this.#batch.full) this.flush();
    return !this.#drainWanted;
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#grace = this.#settings.clock.after(this.#settings.closeGraceMs, () => this.#socket.destroy());
    this.flush();
    this.#socket.end();
    // Reads on, so that the peer's own end is seen.
    this.#delivery.mute();
  }

  destroy(error?: Error): void {
    this.#open = false;
    this.#error ??= error;
    this.#delivery.mute();
    this.#socket.destroy();
  }

  handleData(chunk: Buffer): void {
    this.#delivery.data(chunk);
  }

  /** Closes also where the socket may be half open; after what the turn has gathered, and within the grace. */
  handleEnd(): void {
    this.close();
  }

  handleError(error: Error): void {
    this.#error ??= error;
    this.#open = false;
  }

  handleClose(): void {
    this.#open = false;
    this.#grace?.cancel();
    this.#schedule.cancel();
    this.#batch.clear();
    this.#delivery.end(this.#error);
  }

  /** Cuts the connection: nobody knows what became of its bytes. */
  handleFault(error: unknown): void {
    if (this.#socket.closed) warnProcess(error);
    else this.destroy(asError(error));
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.#socket.destroyed) this.#batch.clear();
    else this.#batch.writeTo(this.#socket, this.#drainWanted ? this.#onWritten() : undefined);
  }

  /** Of a socket that is closed already no event comes any more. */
  #closeLater(): void {
    process.nextTick(
      guarded(
        'socket closed before',
        (error) => this.handleFault(error),
        () => this.handleClose(),
      ),
    );
  }

  /** Made only while it is needed: most connections never are that slow. */
  #onWritten(): WriteCallback {
    return guarded(
      'socket written',
      (error) => this.handleFault(error),
      (error?: Error | null) => this.#handleWritten(error),
    );
  }

  /** A failed write is told by the socket's 'error' and 'close'. */
  #handleWritten(error: Error | null | undefined): void {
    if (error || !this.#drainWanted || this.bufferedBytes > 0) return;
    this.#drainWanted = false;
    this.#delivery.drain();
  }
}
