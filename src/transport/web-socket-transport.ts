import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import { asError, IotmpError } from '../errors';
import type { Timer } from '../util/clock';
import { Delivery } from './delivery';
import { TURN_BYTES } from './end-of-turn';
import { FlushSchedule, type Flushable } from './flush-schedule';
import { remoteAddressOf } from './host-and-port';
import { transportSettings, type TransportOptions, type TransportSettings } from './transport-options';
import type { Transport, TransportHandler } from './transport';
import { guarded, warnProcess, type FaultHandler, type Guarded } from '../util/guard';

/** One whole message per unfragmented binary frame: devices break on anything else (`protocol.md` section 1). */
const ONE_FRAME = { binary: true, fin: true, compress: false } as const;

/** Codes of RFC 6455 that mean a normal end: done, going away, none given, and no close frame at all. */
const NORMAL_CODES: readonly number[] = [1000, 1001, 1005, 1006];

/**
 * A WebSocket connection (`protocol.md` section 1). Takes over an open WebSocket, and the socket that it runs on to
 * let the frames of one turn of the event loop leave in one system call. Received frames, text or binary, are one
 * byte stream. The WebSocket must have been made with `webSocketSettings`.
 */
export class WebSocketTransport implements Transport, Flushable {
  readonly kind = 'ws';
  readonly remoteAddress: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #settings: TransportSettings;
  readonly #delivery: Delivery;
  readonly #schedule = new FlushSchedule(this);
  #open = true;
  #corked = false;
  #corkedBytes = 0;
  #drainWanted = false;
  #error: Error | undefined;
  #grace: Timer | undefined;
  #ping: Timer | undefined;

  /**
   * Must be called in the turn in which `webSocket` was opened, or what comes with the handshake is lost.
   * @param remoteAddress of the client, where that is not the other end of the socket
   */
  constructor(
    webSocket: WebSocket,
    socket: Duplex,
    options?: TransportOptions,
    remoteAddress = remoteAddressOf(socket),
  ) {
    this.remoteAddress = remoteAddress;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#settings = transportSettings(options);
    const onFault: FaultHandler = (error) => this.handleFault(error);
    this.#delivery = new Delivery(webSocket, this);
    webSocket.pause();
    webSocket.on(
      'message',
      guarded('WebSocket message', onFault, (data: RawData) => this.#handleMessage(data)),
    );
    webSocket.on(
      'error',
      guarded('WebSocket error', onFault, (error: Error) => this.#handleBadFrame(error)),
    );
    webSocket.on(
      'close',
      guarded('WebSocket close', onFault, (code: number, reason: Buffer) => this.#handleClose(code, reason)),
    );
    // `ws` keeps the socket's errors to itself, and has no time limit for a peer that ended and does not read.
    socket.on(
      'error',
      guarded('WebSocket socket error', onFault, (error: Error) => {
        this.#error ??= error;
      }),
    );
    socket.on(
      'end',
      guarded('WebSocket socket end', onFault, () => this.#startGrace()),
    );
    this.#schedulePing();
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#webSocket.bufferedAmount;
  }

  start(handler: TransportHandler): void {
    this.#delivery.start(handler);
  }

  send(message: Buffer): boolean {
    if (!this.#open || message.length === 0 || this.#webSocket.readyState !== WebSocket.OPEN) return true;
    this.#cork();
    const bytes = this.bufferedBytes + message.length;
    if (bytes > this.#settings.highWaterMark) this.#drainWanted = true;
    // To be told of the end of a write costs more than all else here: only asked for where it is waited for.
    this.#webSocket.send(message, ONE_FRAME, this.#drainWanted ? this.#onSent() : undefined);
    this.#corkedBytes += message.length;
    if (this.#corkedBytes >= TURN_BYTES) this.flush();
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
    this.#startGrace();
    this.#webSocket.close(1000);
    this.flush();
    // Reads on, so that the peer's close frame is seen.
    this.#delivery.mute();
  }

  destroy(error?: Error): void {
    this.#open = false;
    this.#error ??= error;
    this.#delivery.mute();
    this.#webSocket.terminate();
  }

  /** Cuts the connection: nobody knows what became of its bytes. */
  handleFault(error: unknown): void {
    if (this.#webSocket.readyState === WebSocket.CLOSED) warnProcess(error);
    else this.destroy(asError(error));
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    this.#schedule.request();
  }

  /** Writes what was gathered. */
  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#corkedBytes = 0;
    this.#socket.uncork();
  }

  /** Made only while it is needed: most connections never are that slow. */
  #onSent(): Guarded<[error?: Error | null]> {
    return guarded(
      'WebSocket written',
      (error) => this.handleFault(error),
      (error?: Error | null) => this.#handleSent(error),
    );
  }

  /** A failed write is told by 'error' and 'close'. */
  #handleSent(error: Error | null | undefined): void {
    if (error || !this.#drainWanted || this.bufferedBytes > 0) return;
    this.#drainWanted = false;
    this.#delivery.drain();
  }

  #handleMessage(data: RawData): void {
    if (Buffer.isBuffer(data)) this.#delivery.data(data);
    else if (Array.isArray(data)) for (const fragment of data) this.#delivery.data(fragment);
    else this.#delivery.data(Buffer.from(data));
  }

  /** Bytes that are no WebSocket frames, or too large a frame: `ws` has sent a close frame with the reason. */
  #handleBadFrame(error: Error): void {
    this.#error ??= error;
    this.#open = false;
    this.#startGrace();
    this.flush();
    this.#delivery.mute();
  }

  #schedulePing(): void {
    const { pingMs, clock } = this.#settings;
    if (pingMs !== undefined) this.#ping = clock.after(pingMs, () => this.#sendPing());
  }

  /** A connection on which bytes wait is not idle. */
  #sendPing(): void {
    if (!this.#open) return;
    if (this.bufferedBytes === 0 && this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.ping();
    this.#schedulePing();
  }

  #startGrace(): void {
    this.#grace ??= this.#settings.clock.after(this.#settings.closeGraceMs, () =>
      this.#webSocket.terminate(),
    );
  }

  #handleClose(code: number, reason: Buffer): void {
    this.#open = false;
    this.#grace?.cancel();
    this.#ping?.cancel();
    this.#schedule.cancel();
    this.#delivery.end(this.#error ?? complaint(code, reason));
  }
}

/** What the peer's close frame complains of, if anything. */
function complaint(code: number, reason: Buffer): IotmpError | undefined {
  if (NORMAL_CODES.includes(code)) return undefined;
  const text = reason.length > 0 ? ` ${JSON.stringify(reason.toString())}` : '';
  return new IotmpError('IOTMP_ERR_PROTOCOL', `the peer closed the WebSocket with code ${code}${text}`);
}
