import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { errorText, IotmpError } from '../errors';
import { certificateLife, lifeWarning } from '../transport/certificate';
import {
  openSocketServer,
  type SocketServer,
  type SocketServerHooks,
  type SocketServerOptions,
} from '../transport/socket-server';
import { Backoff } from '../util/backoff';
import type { Clock, Timer } from '../util/clock';

/** Where a listener stands. */
export type ListenerStatus =
  | { readonly kind: 'closed' }
  | { readonly kind: 'opening' }
  /** `address` is what it listens on, such as `0.0.0.0:25204`. `expires`: end of the certificate, in ms since 1970. */
  | {
      readonly kind: 'listening';
      readonly address: string;
      readonly port: number;
      readonly expires?: number;
    }
  /** `port` is the one that could not be opened. */
  | { readonly kind: 'error'; readonly error: IotmpError; readonly port: number };

/** What a listener tells its owner. */
export interface ListenerHooks extends Omit<SocketServerHooks, 'onError'> {
  onStatus(status: ListenerStatus): void;
}

/** Time between two looks at the life of the certificate, in ms. */
const CERTIFICATE_LOOK_MS = 12 * 3_600_000;

/**
 * A port that devices connect to. One that cannot be opened is tried again, with growing pauses: the status is an error
 * for all that time.
 */
export class Listener {
  #options: SocketServerOptions;
  readonly #hooks: ListenerHooks;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #status: ListenerStatus = { kind: 'closed' };
  #server: SocketServer | undefined;
  #retry: Timer | undefined;
  #look: Timer | undefined;
  #closed = true;
  #opening: Promise<void> = Promise.resolve();

  constructor(options: SocketServerOptions, clock: Clock, hooks: ListenerHooks) {
    this.#options = options;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#backoff = new Backoff({ minMs: 1000, maxMs: 30_000, random: Math.random });
  }

  get options(): SocketServerOptions {
    return this.#options;
  }

  get status(): ListenerStatus {
    return this.#status;
  }

  /** Opens the port. Resolves when the first attempt has succeeded or failed; `status` tells which. */
  open(): Promise<void> {
    if (!this.#closed) return this.#opening;
    this.#closed = false;
    this.#setStatus({ kind: 'opening' });
    this.#opening = this.#attempt();
    return this.#opening;
  }

  /**
   * Shows another certificate to those who connect from now on. A listener that could not be opened is tried at once.
   * @throws IotmpError IOTMP_ERR_LISTEN when it cannot be used; the former one stays
   */
  renew(tls: TlsOptions): void {
    this.#server?.renew(tls);
    this.#options = { ...this.#options, tls };
    if (this.#status.kind === 'listening') {
      this.#status = { ...this.#status, ...this.#expiry };
      this.#watchCertificate();
    } else if (this.#retry !== undefined) this.#tryAgain();
  }

  /** Frees the port; connections that were made live on. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#look?.cancel();
    await this.#opening;
    const server = this.#server;
    this.#server = undefined;
    // Its connections belong to the broker: only the port is waited for, and that is free at once.
    server?.close();
    this.#setStatus({ kind: 'closed' });
  }

  async #attempt(): Promise<void> {
    try {
      const opened = await openSocketServer(this.#options, {
        onArrival: (origin) => this.#hooks.onArrival(origin),
        onTransport: (transport, place) => this.#hooks.onTransport(transport, place),
        onRefused: (refusal) => this.#hooks.onRefused(refusal),
        onWarning: (text) => this.#hooks.onWarning(text),
        onError: (error) => {
          if (this.#server === opened) this.#fail(error);
        },
      });
      this.#server = opened;
      this.#backoff.reset();
      this.#setStatus({ kind: 'listening', ...boundAddress(opened.server), ...this.#expiry });
      this.#watchCertificate();
    } catch (error) {
      this.#fail(error instanceof IotmpError ? error : new IotmpError('IOTMP_ERR_LISTEN', errorText(error)));
    }
  }

  get #expiry(): { expires?: number } {
    const life = certificateLife(this.#options.tls ?? {});
    return life === undefined ? {} : { expires: life.to };
  }

  #fail(error: IotmpError): void {
    this.#server?.close();
    this.#server = undefined;
    this.#look?.cancel();
    this.#setStatus({ kind: 'error', error, port: this.#options.port });
    if (this.#closed) return;
    this.#retry = this.#clock.after(this.#backoff.next(), () => this.#tryAgain());
  }

  #tryAgain(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#opening = this.#attempt();
  }

  /** Warns of a certificate that has ended or soon will, now and as time goes by. */
  #watchCertificate(): void {
    this.#look?.cancel();
    const life = certificateLife(this.#options.tls ?? {});
    if (life === undefined || this.#closed) return;
    const warning = lifeWarning(life, Date.now());
    if (warning !== undefined) this.#hooks.onWarning(warning);
    this.#look = this.#clock.after(CERTIFICATE_LOOK_MS, () => this.#watchCertificate());
  }

  /** The same error again is no news. */
  #setStatus(status: ListenerStatus): void {
    const isSame = isSameError(this.#status, status);
    this.#status = status;
    if (isSame) return;
    if (!this.#closed || status.kind === 'closed') this.#hooks.onStatus(status);
  }
}

function isSameError(one: ListenerStatus, other: ListenerStatus): boolean {
  return one.kind === 'error' && other.kind === 'error' && one.error.message === other.error.message;
}

function boundAddress(server: Server): { address: string; port: number } {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return { address: String(bound), port: 0 };
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `${host}:${bound.port}`, port: bound.port };
}
