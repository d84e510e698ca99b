import { WebSocket, type RawData } from 'ws';
import type { Clock, Timer } from '../../util/clock';
import type { Principal } from '../auth/principal';
import type { GatewayLimits } from '../limits/gateway-limits';
import type { GatewayMetrics } from '../metrics/gateway-metrics';
import { guarded, warnProcess } from '../../util/guard';

/** Close codes of RFC 6455 and its registry. */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  BAD_DATA: 1007,
  POLICY: 1008,
  BUSY: 1013,
} as const;

/** What a socket needs of its gateway. */
export interface ClientSocketPort {
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly metrics: GatewayMetrics;
  readonly principal: Principal;
}

/** Hears the frames of a client. */
export type FrameListener = (data: Buffer, isBinary: boolean) => void;

/** Time between two pings, in ms. Whoever has not answered one by the next is gone. */
const PING_MS = 30_000;

/**
 * A WebSocket of a program. What a slow reader has no room for is left out, one that reads nothing is cut off, and so is
 * one whose token has expired or was revoked.
 */
export class ClientSocket {
  readonly #webSocket: WebSocket;
  readonly #port: ClientSocketPort;
  #ping: Timer;
  #drain: Timer | undefined;
  #alive = true;
  #listener: FrameListener | undefined;

  constructor(webSocket: WebSocket, port: ClientSocketPort) {
    this.#webSocket = webSocket;
    this.#port = port;
    this.#ping = port.clock.after(PING_MS, this.#beat);
    const onFault = (): void => webSocket.terminate();
    const onPong = guarded('API socket pong', onFault, () => {
      this.#alive = true;
    });
    const onMessage = guarded('API socket message', onFault, (data: RawData, isBinary: boolean) =>
      this.#listener?.(bytesOf(data), isBinary),
    );
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

  /** Ends the socket in good order; whoever does not answer is cut off. What the client still sends is not heard. */
  close(code: number, reason: string): void {
    this.#listener = ignore;
    this.#webSocket.close(code, reason);
    this.#alive = false;
  }

  readonly #beat = (): void => {
    if (!this.#alive) {
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

  /** Cuts the socket off if by then the reader has taken nothing. */
  #watch(): Timer {
    const { clock, limits } = this.#port;
    const before = this.#webSocket.bufferedAmount;
    return clock.after(limits.drainTimeoutMs, () => {
      this.#drain = undefined;
      if (this.#webSocket.bufferedAmount >= before) this.#webSocket.terminate();
    });
  }

  #handleClose(): void {
    this.#ping.cancel();
    this.#drain?.cancel();
  }
}

function ignore(): void {
  // The socket is being closed.
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
