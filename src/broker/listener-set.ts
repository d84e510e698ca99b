import type { TlsOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../util/clock';
import type { SocketServerOptions } from '../transport/socket-server';
import type { ListenerKind } from './broker-events';
import { Listener, type ListenerHooks, type ListenerStatus } from './listener';
import type { ResolvedServerOptions } from './broker-options';

/** What the listeners of a server tell it. */
export interface ListenerSetHooks extends Omit<ListenerHooks, 'onStatus'> {
  onStatus(kind: ListenerKind, status: ListenerStatus): void;
}

/** The listeners of a server, at most one of each kind. */
export class ListenerSet {
  readonly #hooks: ListenerSetHooks;
  readonly #listeners = new Map<ListenerKind, Listener>();
  /** Listeners are opened and closed in one order, however many ask for it at once. */
  #work: Promise<void> = Promise.resolve();

  constructor(hooks: ListenerSetHooks) {
    this.#hooks = hooks;
  }

  get statuses(): ReadonlyMap<ListenerKind, ListenerStatus> {
    return new Map([...this.#listeners].map(([kind, listener]) => [kind, listener.status]));
  }

  /**
   * Shows another certificate to those who connect over TLS from now on.
   * @throws IotmpError IOTMP_ERR_LISTEN when it cannot be used; the former one stays
   */
  renew(tls: TlsOptions): void {
    this.#listeners.get('tls')?.renew(tls);
  }

  /**
   * Opens and closes listeners until they are what the options ask for; those that did not change are left alone.
   * @param options is called when the work begins: they may have changed by then. `undefined` is no listener at all.
   */
  update(options: () => ResolvedServerOptions | undefined): Promise<void> {
    const work = async (): Promise<void> => {
      const wanted = options();
      await Promise.all([
        this.#update('tcp', wanted && socketOptions(wanted, wanted.tcpPort, undefined)),
        this.#update('tls', wanted && socketOptions(wanted, wanted.tlsPort, wanted.tls ?? {})),
      ]);
    };
    this.#work = this.#work.then(work, work);
    return this.#work;
  }

  async #update(kind: ListenerKind, wanted: SocketServerOptions | undefined): Promise<void> {
    const current = this.#listeners.get(kind);
    if (current !== undefined && isDeepStrictEqual(current.options, wanted)) return;
    this.#listeners.delete(kind);
    await current?.close();
    if (wanted === undefined) return;
    const hooks = this.#hooks;
    const listener = new Listener(wanted, wanted.clock ?? systemClock, {
      onArrival: (origin) => hooks.onArrival(origin),
      onTransport: (transport, place) => hooks.onTransport(transport, place),
      onRefused: (refusal) => hooks.onRefused(refusal),
      onStatus: (status) => hooks.onStatus(kind, status),
      onWarning: (text) => hooks.onWarning(text),
    });
    this.#listeners.set(kind, listener);
    await listener.open();
  }
}

function socketOptions(
  { host, connectTimeoutMs, clock, proxyProtocol, trustedProxies, clientCertificate }: ResolvedServerOptions,
  port: number | undefined,
  tls: TlsOptions | undefined,
): SocketServerOptions | undefined {
  if (port === undefined) return undefined;
  const proxies = proxyProtocol ? trustedProxies : [];
  const needsCertificate = tls !== undefined && clientCertificate !== 'off';
  return { host, port, tls, needsCertificate, proxies, handshakeTimeoutMs: connectTimeoutMs, clock };
}
