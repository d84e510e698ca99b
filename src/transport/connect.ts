import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { IotmpError } from '../errors';
import type { Timer } from '../util/clock';
import { connectWords } from './connect-words';
import { isSecure, isWebSocket, openClientSocket, targetUrl, type ConnectTarget } from './client-socket';
import { SocketTransport } from './socket-transport';
import { transportSettings, type TransportOptions } from './transport-options';
import type { Transport } from './transport';
import { maxPayloadFor, SUBPROTOCOL, webSocketSettings } from './web-socket-settings';
import { WebSocketTransport } from './web-socket-transport';
import { guarded, warnProcess, type Guarded } from '../util/guard';

export type { ConnectTarget } from './client-socket';

/** Options of {@link connectTransport}; the transport that it makes gets the same ones. */
export interface ConnectOptions extends TransportOptions {
  /** For `tls` and `wss`. The certificate is checked by default, against the target's host. */
  readonly tls?: ConnectionOptions | undefined;
  /** Time for name, connection, TLS and WebSocket handshake together, in ms. Default 10000. */
  readonly timeoutMs?: number | undefined;
  /** Gives up. Has no effect once the transport is there. */
  readonly signal?: AbortSignal | undefined;
  /** Largest WebSocket message to take, in bytes; see `maxPayloadFor`. Default 1 MiB. */
  readonly maxPayload?: number | undefined;
}

/**
 * Connects as a client (`protocol.md` section 1). Rejects with IOTMP_ERR_CONNECT (the `cause` is what the system
 * said), IOTMP_ERR_TIMEOUT or IOTMP_ERR_ABORTED; nothing is left of the attempt then.
 */
export function connectTransport(target: ConnectTarget, options: ConnectOptions = {}): Promise<Transport> {
  return new Promise((resolve, reject) => {
    new ConnectAttempt(target, options, resolve, reject).begin();
  });
}

/** Time to connect where no other is given, in ms. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** One attempt: ends once, by success, failure, time or signal, and takes its timer and listeners with it. */
class ConnectAttempt {
  readonly #target: ConnectTarget;
  readonly #options: ConnectOptions;
  readonly #resolve: (transport: Transport) => void;
  readonly #reject: (error: IotmpError) => void;
  readonly #onError = guarded('connect error', warnProcess, (cause: unknown) => this.#handleError(cause));
  readonly #onAbort = guarded('connect abort', warnProcess, () => this.#handleAbort());
  #stage = 'the connection';
  #ended = false;
  #timer: Timer | undefined;
  #socket: Socket | undefined;
  #webSocket: WebSocket | undefined;

  constructor(
    target: ConnectTarget,
    options: ConnectOptions,
    resolve: (transport: Transport) => void,
    reject: (error: IotmpError) => void,
  ) {
    this.#target = target;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { signal, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = this.#options;
    if (signal?.aborted) {
      this.#handleAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    this.#timer = transportSettings(this.#options).clock.after(timeoutMs, () =>
      this.#handleTimeout(timeoutMs),
    );
    this.#step('connect', () => this.#openSocket())();
  }

  #openSocket(): void {
    const socket = openClientSocket(this.#target, this.#options.tls);
    this.#socket = socket;
    socket.on('error', this.#onError);
    const onConnected = this.#step('connect connected', () => this.#handleConnected(socket));
    if (!isSecure(this.#target)) {
      socket.once('connect', onConnected);
      return;
    }
    const onConnect = this.#step('connect TCP', () => {
      this.#stage = 'the TLS handshake';
    });
    socket.once('connect', onConnect);
    socket.once('secureConnect', onConnected);
  }

  #handleConnected(socket: Socket): void {
    if (isWebSocket(this.#target)) this.#openWebSocket(socket);
    else this.#succeed(new SocketTransport(socket, this.#options));
  }

  #openWebSocket(socket: Socket): void {
    const { closeGraceMs } = transportSettings(this.#options);
    this.#stage = 'the WebSocket handshake';
    const webSocket = new WebSocket(targetUrl(this.#target), SUBPROTOCOL, {
      ...webSocketSettings(this.#options.maxPayload ?? maxPayloadFor(0), closeGraceMs),
      createConnection: () => socket,
    });
    this.#webSocket = webSocket;
    webSocket.on('error', this.#onError);
    webSocket.once(
      'open',
      this.#step('connect WebSocket', () =>
        this.#succeed(new WebSocketTransport(webSocket, socket, this.#options)),
      ),
    );
  }

  /** A step of the attempt, which fails with what the step throws. */
  #step(place: string, step: () => void): Guarded<[]> {
    return guarded(place, (error) => this.#handleError(error), step);
  }

  #handleError(cause: unknown): void {
    this.#fail('IOTMP_ERR_CONNECT', connectWords(cause), cause);
  }

  #handleAbort(): void {
    this.#fail('IOTMP_ERR_ABORTED', 'aborted', this.#options.signal?.reason);
  }

  #handleTimeout(timeoutMs: number): void {
    this.#fail('IOTMP_ERR_TIMEOUT', `${this.#stage} took longer than ${timeoutMs} ms`);
  }

  #succeed(transport: Transport): void {
    this.#end();
    this.#socket?.off('error', this.#onError);
    this.#webSocket?.off('error', this.#onError);
    this.#resolve(transport);
  }

  /** Leaves the error listeners in place: what is being torn down complains, the WebSocket of its socket for one. */
  #fail(
    code: 'IOTMP_ERR_CONNECT' | 'IOTMP_ERR_ABORTED' | 'IOTMP_ERR_TIMEOUT',
    text: string,
    cause?: unknown,
  ): void {
    if (this.#ended) return;
    this.#end();
    this.#socket?.destroy();
    this.#reject(new IotmpError(code, `cannot connect to ${targetUrl(this.#target)}: ${text}`, { cause }));
  }

  #end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }
}
