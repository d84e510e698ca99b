import { constants } from 'node:crypto';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions } from 'node:tls';
import { systemClock } from '../util/clock';
import { asError, errorText, IotmpError, systemCode } from '../errors';
import { guarded, warnProcess } from '../util/guard';
import { certificateFault } from './certificate';
import { askingForCertificate, authorityFault } from './client-certificate';
import type { ConnectionRefusal } from './connection-refusal';
import { Handshakes } from './handshakes';
import { bareHost, hostAndPort, remoteAddressOf } from './host-and-port';
import { ProxyHeaders } from './proxy-headers';
import { SocketTransport } from './socket-transport';
import type { Transport } from './transport';
import type { TransportOptions } from './transport-options';
import { TrustedProxies } from './trusted-proxies';
import type { ConnectionOrigin, WaitingPlace } from './waiting-place';

/** Where a TCP or TLS server listens. */
export interface SocketServerOptions extends TransportOptions {
  /** Address of this machine; empty = every interface, IPv6 and IPv4. */
  readonly host: string;
  /** 0..65535; 0 takes any free one. */
  readonly port: number;
  /** Key, certificate and whatever else TLS needs; absent for plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** Whether each client has to show a certificate of an authority in `tls.ca`. Default: no. */
  readonly needsCertificate?: boolean | undefined;
  /**
   * Time for the TLS handshake of a connection, and for its PROXY header, in ms each; one that takes longer is cut.
   * Default 10000.
   */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Addresses and networks whose connections begin with a PROXY header. Default: none. */
  readonly proxies?: readonly string[] | undefined;
}

/** What a server tells its owner. */
export interface SocketServerHooks {
  /** Gives a place to a connection that begins; without one it is cut. */
  onArrival(origin: ConnectionOrigin): WaitingPlace | undefined;
  onTransport(transport: Transport, place: WaitingPlace): void;
  onRefused(refusal: ConnectionRefusal): void;
  onWarning(text: string): void;
  /** The server failed after it was opened. */
  onError(error: IotmpError): void;
}

/** A server that listens. */
export interface SocketServer {
  readonly server: Server;
  /**
   * Shows another certificate to those who connect from now on. Does nothing for plain TCP.
   * @throws IotmpError IOTMP_ERR_LISTEN when it cannot be used; the former one stays
   */
  renew(tls: TlsOptions): void;
  /** Frees the port and cuts the handshakes that are under way; transports that were handed over live on. */
  close(): void;
}

/** Words for the codes of the system. */
const LISTEN_WORDS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use'],
  ['EACCES', 'this program may not use the port: below 1024 it needs a right for that'],
  ['EADDRNOTAVAIL', 'this machine does not have the address'],
  ['ENOTFOUND', 'there is no address of this name'],
  ['EMFILE', 'this program has too many files open'],
]);

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections that may wait to be taken over, as far as the system allows it: devices come back all at once. */
const BACKLOG = 4_096;

/**
 * Opens a TCP or TLS server (`protocol.md` section 1).
 * @throws IotmpError (as a rejection) IOTMP_ERR_LISTEN when the port, the address or the certificate is not
 *   usable
 */
export function openSocketServer(
  options: SocketServerOptions,
  hooks: SocketServerHooks,
): Promise<SocketServer> {
  return new Promise((resolve, reject) => {
    const host = bareHost(options.host);
    const where = hostAndPort(host === '' ? '*' : host, options.port);
    const entrance = new Entrance(options, hooks, where);
    const onFault = (error: unknown): void => hooks.onWarning(errorText(error));
    const server = createTcpServer(
      { noDelay: true },
      guarded('listener connection', onFault, (socket: Socket) => entrance.take(socket)),
    );
    const onRefused = guarded('listener refused', warnProcess, (error: Error) =>
      reject(listenError(where, error)),
    );
    const onError = guarded('listener error', warnProcess, (error: Error) =>
      hooks.onError(listenError(where, error)),
    );
    const onListening = guarded('listener listening', reject, () => {
      server.off('error', onRefused);
      server.on('error', onError);
      resolve({
        server,
        renew: (tls) => entrance.renew(tls),
        close() {
          server.close();
          entrance.cut();
        },
      });
    });
    server.once('error', onRefused);
    server.listen(
      { host: host === '' ? undefined : host, port: options.port, backlog: BACKLOG },
      onListening,
    );
  });
}

/** The way of a socket from its first moment to its transport: a PROXY header, a TLS handshake, or none of them. */
class Entrance {
  readonly #options: SocketServerOptions;
  readonly #hooks: SocketServerHooks;
  readonly #where: string;
  readonly #kind: 'tcp' | 'tls';
  readonly #proxies: TrustedProxies;
  readonly #headers: ProxyHeaders;
  readonly #tls: TlsServer | undefined;
  readonly #handshakes: Handshakes | undefined;

  /** @throws IotmpError IOTMP_ERR_LISTEN when the certificate is not usable */
  constructor(options: SocketServerOptions, hooks: SocketServerHooks, where: string) {
    this.#options = options;
    this.#hooks = hooks;
    this.#where = where;
    this.#kind = options.tls === undefined ? 'tcp' : 'tls';
    this.#proxies = new TrustedProxies(options.proxies ?? []);
    this.#headers = new ProxyHeaders({
      kind: this.#kind,
      clock: options.clock ?? systemClock,
      timeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      onArrival: (origin) => hooks.onArrival(origin),
      onRefused: (refusal) => hooks.onRefused(refusal),
      onRead: (socket, remoteAddress) => this.#admit(socket, remoteAddress),
    });
    if (options.tls === undefined) return;
    this.#tls = createTls(options, where);
    this.#handshakes = new Handshakes(this.#tls, {
      needsCertificate: options.needsCertificate === true,
      onSecure: (socket, remoteAddress, place) => this.#handOver(socket, remoteAddress, place),
      onRefused: (refusal) => hooks.onRefused(refusal),
    });
  }

  /** Takes a socket over; when it throws, the socket is cut. */
  take(socket: Socket): void {
    try {
      if (this.#proxies.has(socket.remoteAddress)) this.#headers.read(socket);
      else this.#admit(socket, remoteAddressOf(socket));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  renew(tls: TlsOptions): void {
    if (this.#tls === undefined) return;
    if (this.#options.needsCertificate === true) checkAuthority(tls, this.#where);
    secure(this.#tls, tls, this.#where);
    // A client that the former authority vouches for must not slip in.
    if (this.#options.needsCertificate === true) this.#handshakes?.cut();
  }

  cut(): void {
    this.#headers.cut();
    this.#handshakes?.cut();
  }

  #admit(socket: Socket, remoteAddress: string): void {
    const place = this.#hooks.onArrival({ kind: this.#kind, remoteAddress });
    if (place === undefined) socket.destroy();
    else if (this.#handshakes === undefined) this.#handOver(socket, remoteAddress, place);
    else this.#handshakes.begin(socket, remoteAddress, place);
  }

  /** A socket that cannot be taken over is cut. */
  #handOver(socket: Socket, remoteAddress: string, place: WaitingPlace): void {
    try {
      this.#hooks.onTransport(new SocketTransport(socket, this.#options, remoteAddress), place);
    } catch (error) {
      place.leave();
      socket.destroy(asError(error));
      this.#hooks.onWarning(errorText(error));
    }
  }
}

function createTls(
  { tls = {}, needsCertificate = false, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS }: SocketServerOptions,
  where: string,
): TlsServer {
  const sources = [tls.cert, tls.pfx, tls.secureContext, tls.SNICallback, tls.pskCallback];
  if (sources.every((source) => source === undefined)) {
    throw listenError(where, 'TLS needs a key and a certificate');
  }
  if (needsCertificate) checkAuthority(tls, where);
  const wanted = needsCertificate ? askingForCertificate(tls) : tls;
  try {
    return createTlsServer({ ...withoutRenegotiation(wanted), handshakeTimeout: handshakeTimeoutMs });
  } catch (error) {
    throw certificateError(where, tls, error);
  }
}

function secure(server: TlsServer, tls: TlsOptions, where: string): void {
  try {
    server.setSecureContext(withoutRenegotiation(tls));
  } catch (error) {
    throw certificateError(where, tls, error);
  }
}

/** A handshake costs the server far more than the client. Without this option a client of TLS 1.2 asks for any number. */
function withoutRenegotiation(tls: TlsOptions): TlsOptions {
  return { ...tls, secureOptions: (tls.secureOptions ?? 0) | constants.SSL_OP_NO_RENEGOTIATION };
}

function checkAuthority(tls: TlsOptions, where: string): void {
  const fault = authorityFault(tls);
  if (fault !== undefined) throw listenError(where, fault);
}

function certificateError(where: string, tls: TlsOptions, cause: unknown): IotmpError {
  const text = certificateFault(tls) ?? `TLS does not take key and certificate (${errorText(cause)})`;
  return new IotmpError('IOTMP_ERR_LISTEN', `cannot listen on ${where}: ${text}`, { cause });
}

function listenError(where: string, cause: unknown): IotmpError {
  const code = systemCode(cause);
  const text = LISTEN_WORDS.get(code) ?? (code === '' ? errorText(cause) : code);
  return new IotmpError('IOTMP_ERR_LISTEN', `cannot listen on ${where}: ${text}`, { cause });
}
