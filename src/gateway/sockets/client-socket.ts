import { WebSocket, type RawData } from 'ws';
import type { Clock, Timer } from '../../util/clock';
import type { Principal } from '../auth/principal';
import type { GatewayLimits } from '../limits/gateway-limits';
import type { GatewayMetrics } from '../metrics/gateway-metrics';
import { guarded, warnProcess, type Guarded } from '../../util/guard';

/** Close codes of RFC 6455 and its registry. */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  BAD_DATA: 1007,
  POLICY: 1008,
  /** The device says that something went wrong. */
  FAILED: 1011,
  /** A limit is reached. */
  BUSY: 1013,
  /** The connection of the device broke. */
  BAD_GATEWAY: 1014,
} as const;

/** Codes of ends that are no fault. */
const ORDERLY: readonly number[] = [CloseCode.NORMAL, CloseCode.GOING_AWAY];

/** What a socket needs of its gateway. */
export interface ClientSocketPort {
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly metrics: GatewayMetrics;
  readonly principal: Principal;
}

/** Hears the frames of a client. */
export type FrameListener = (data: Buffer, isBinary: boolean) => void;

/** Time between two pings, in ms. Whoever has not answered one by the next, and took nothing, is gone. */
const PING_MS = 30_000;
/** Bytes of a conversation that wait for the reader, past which it is held back. What follows waits elsewhere. */
const CONVERSATION_BYTES = 65_536;
/** Time that a client has to answer a close frame, in ms. */
const CLOSE_GRACE_MS = 2_000;
/** The same, at most. */
export const MAX_CLOSE_GRACE_MS = 300_000;

/**
 * A WebSocket of a program. Samples that a slow reader has no room for are left out, a conversation is held back. One that
 * reads nothing is cut off, and so is one whose token has expired or was revoked.
 */
export class ClientSocket {
  readonly #webSocket: WebSocket;
  readonly #port: ClientSocketPort;
  #ping: Timer;
  #drain: Timer | undefined;
  #alive = true;
  #paused = false;
  /** Someone waits until the reader has taken what was passed. */
  #drainWanted = false;
  #grace: Timer | undefined;
  #graceMs = Infinity;
  /** The reader takes more, after a {@link pass} that returned false. */
  onDrain: (() => void) | undefined;
  #listener: FrameListener | undefined;

  constructor(webSocket: WebSocket, port: ClientSocketPort) {
    this.#webSocket = webSocket;
    this.#port = port;
    this.#ping = port.clock.after(PING_MS, this.#beat);
    const onFault = (): void => webSocket.terminate();
    const onPong = guarded('API socket pong', onFault, () => {
      this.#alive = true;
    });
    const onMessage = guarded('API socket message', onFault, (data: RawData, isBinary: boolean) => {
      this.#alive = true;
      this.#listener?.(bytesOf(data), isBinary);
    });
    webSocket.on('pong', onPong);
    webSocket.on('message', onMessage);
    // A broken frame has been answered with a close frame already; the end follows.
    webSocket.on('error', guarded('API socket error', warnProcess, onFault));
    const onClose = guarded('API socket close', warnProcess, () => this.#handleClose());
    webSocket.on('close', onClose);
  }

  /** Whether so much waits for the reader that nothing more is sent. */
  get congested(): boolean {
    return this.#webSocket.bufferedAmount > this.#port.limits.maxBufferedBytes;
  }

  /** Says who hears the frames; to be called in the turn in which the socket was opened. */
  listen(listener: FrameListener): void {
    this.#listener ??= listener;
  }

  /** Sends a frame, text or binary. Returns false when the reader is too slow and it was left out. */
  send(frame: string | Uint8Array): boolean {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return false;
    if (this.congested) {
      this.#port.metrics.samplesDropped.add();
      this.#drain ??= this.#watch();
      return false;
    }
    this.#webSocket.send(frame, { binary: typeof frame !== 'string' });
    this.#port.metrics.samplesSent.add();
    return true;
  }

  /**
   * Sends a frame of a conversation, of which nothing is left out. Returns false when the reader is to be waited for, until
   * `onDrain`.
   */
  pass(frame: string | Uint8Array): boolean {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return true;
    if (this.#webSocket.bufferedAmount + frame.length > CONVERSATION_BYTES) this.#drainWanted = true;
    this.#webSocket.send(
      frame,
      { binary: typeof frame !== 'string' },
      this.#drainWanted ? this.#onSent() : undefined,
    );
    this.#port.metrics.samplesSent.add();
    return !this.#drainWanted;
  }

  /** Hears no more frames of the client for now, so that it has to stop. Some may still come. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#webSocket.pause();
  }

  /** Hears frames again. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#alive = true;
    this.#webSocket.resume();
  }

  /**
   * Ends the socket in good order, behind what was sent. Whoever does not answer in time is cut off. What the client still
   * sends is not heard.
   * @param graceMs time for it, at most {@link MAX_CLOSE_GRACE_MS}
   */
  close(code: number, reason: string, graceMs = CLOSE_GRACE_MS): void {
    if (graceMs >= this.#graceMs) return;
    if (this.#graceMs === Infinity && !ORDERLY.includes(code)) this.#countCut(String(code));
    this.#graceMs = graceMs;
    this.#grace?.cancel();
    this.#listener = ignore;
    this.#grace = this.#port.clock.after(graceMs, () => this.#webSocket.terminate());
    this.#ping.cancel();
    this.#webSocket.close(code, reason);
    this.resume();
  }

  readonly #beat = (): void => {
    const isLeaving = this.#webSocket.readyState !== WebSocket.OPEN;
    if (isLeaving || !(this.#alive || this.#paused)) {
      if (!isLeaving) this.#countCut('silent');
      this.#webSocket.terminate();
      return;
    }
    this.#ping = this.#port.clock.after(PING_MS, this.#beat);
    if (!this.#port.principal.counts()) {
      this.close(CloseCode.POLICY, 'the token counts no more');
      return;
    }
    this.#alive = false;
    this.#webSocket.ping();
  };

  /** Made only while a reader is slow. */
  #onSent(): Guarded<[error?: Error | null]> {
    return guarded(
      'API socket written',
      () => this.#webSocket.terminate(),
      (error?: Error | null) => this.#handleSent(error),
    );
  }

  /** A failed write is told by the end of the socket. */
  #handleSent(error: Error | null | undefined): void {
    if (error || !this.#drainWanted || this.#webSocket.bufferedAmount > 0) return;
    this.#drainWanted = false;
    this.#alive = true;
    this.onDrain?.();
  }

  /** Cuts the socket off if by then the reader has taken nothing. */
  #watch(): Timer {
    const { clock, limits } = this.#port;
    const before = this.#webSocket.bufferedAmount;
    return clock.after(limits.drainTimeoutMs, () => {
      this.#drain = undefined;
      if (this.#webSocket.bufferedAmount < before) return;
      this.#countCut('slow');
      this.#webSocket.terminate();
    });
  }

  /** @param reason the code of the close frame, or a word where there is none */
  #countCut(reason: string): void {
    this.#port.metrics.socketsCut.add({ reason });
  }

  #handleClose(): void {
    this.#ping.cancel();
    this.#drain?.cancel();
    this.#grace?.cancel();
  }
}

function ignore(): void {
  // The socket is being closed.
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
