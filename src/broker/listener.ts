import type { Server } from 'node:net';
import { errorText, IotmpError } from '../errors';
import type { Transport } from '../transport/transport';
import type { ConnectionRefusal } from '../transport/connection-refusal';
import { openSocketServer, type SocketServer, type SocketServerOptions } from '../transport/socket-server';
import { Backoff } from '../util/backoff';
import type { Clock, Timer } from '../util/clock';

/** Where a listener stands. */
export type ListenerStatus =
  | { readonly kind: 'closed' }
  | { readonly kind: 'opening' }
  /** `address` is what it listens on, such as `0.0.0.0:25204`. */
  | { readonly kind: 'listening'; readonly address: string; readonly port: number }
  | { readonly kind: 'error'; readonly error: IotmpError };

/** What a listener tells its owner. */
export interface ListenerHooks {
  onTransport(transport: Transport): void;
  onRefused(refusal: ConnectionRefusal): void;
  onStatus(status: ListenerStatus): void;
  onWarning(text: string): void;
}

/** A port that devices connect to. One that cannot be opened is tried again, with growing pauses. */
export class Listener {
  readonly options: SocketServerOptions;
  readonly #hooks: ListenerHooks;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #status: ListenerStatus = { kind: 'closed' };
  #server: SocketServer | undefined;
  #retry: Timer | undefined;
  #closed = true;
  #opening: Promise<void> = Promise.resolve();

  constructor(options: SocketServerOptions, clock: Clock, hooks: ListenerHooks) {
    this.options = options;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#backoff = new Backoff({ minMs: 1000, maxMs: 30_000, random: Math.random });
  }

  get status(): ListenerStatus {
    return this.#status;
  }

  /** Opens the port. Resolves when the first attempt has succeeded or failed; `status` tells which. */
  open(): Promise<void> {
    if (!this.#closed) return this.#opening;
    this.#closed = false;
    this.#opening = this.#attempt();
    return this.#opening;
  }

  /** Frees the port; connections that were made live on. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#opening;
    const server = this.#server;
    this.#server = undefined;
    // Its connections belong to the broker: only the port is waited for, and that is free at once.
    server?.close();
    this.#setStatus({ kind: 'closed' });
  }

  async #attempt(): Promise<void> {
    this.#setStatus({ kind: 'opening' });
    try {
      const opened = await openSocketServer(this.options, {
        onTransport: (transport) => this.#hooks.onTransport(transport),
        onRefused: (refusal) => this.#hooks.onRefused(refusal),
        onWarning: (text) => this.#hooks.onWarning(text),
        onError: (error) => {
          if (this.#server === opened) this.#fail(error);
        },
      });
      this.#server = opened;
      this.#backoff.reset();
      const { address, port } = boundAddress(opened.server);
      this.#setStatus({ kind: 'listening', address, port });
    } catch (error) {
      this.#fail(error instanceof IotmpError ? error : new IotmpError('IOTMP_ERR_LISTEN', errorText(error)));
    }
  }

  #fail(error: IotmpError): void {
    this.#server?.close();
    this.#server = undefined;
    this.#setStatus({ kind: 'error', error });
    if (this.#closed) return;
    this.#retry = this.#clock.after(this.#backoff.next(), () => {
      this.#opening = this.#attempt();
    });
  }

  #setStatus(status: ListenerStatus): void {
    this.#status = status;
    if (!this.#closed || status.kind === 'closed') this.#hooks.onStatus(status);
  }
}

function boundAddress(server: Server): { address: string; port: number } {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return { address: String(bound), port: 0 };
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `${host}:${bound.port}`, port: bound.port };
}
