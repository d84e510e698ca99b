import { constants } from 'node:crypto';
import { createServer as createTcpServer, type DropArgument, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer, type TlsOptions } from 'node:tls';
import { asError, errorText, IotmpError, systemCode } from '../errors';
import { guarded, warnProcess, type Guarded } from '../util/guard';
import { certificateFault } from './certificate';
import type { ConnectionRefusal } from './connection-refusal';
import { Handshakes } from './handshakes';
import { bareHost, hostAndPort, remoteName } from './host-and-port';
import { SocketTransport } from './socket-transport';
import type { Transport } from './transport';
import type { TransportOptions } from './transport-options';

/** Where a TCP or TLS server listens. */
export interface SocketServerOptions extends TransportOptions {
  /** Address of this machine; empty = every interface, IPv6 and IPv4. */
  readonly host: string;
  /** 0..65535; 0 takes any free one. */
  readonly port: number;
  /** Key, certificate and whatever else TLS needs; absent for plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** Sockets that may be open at once; more are closed as they come. */
  readonly maxConnections: number;
  /** Time for the TLS handshake of a connection, in ms; one that takes longer is cut. Default 10000. */
  readonly handshakeTimeoutMs?: number | undefined;
}

/** What a server tells its owner. */
export interface SocketServerHooks {
  onTransport(transport: Transport): void;
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

type Taker = Guarded<[socket: Socket]>;

const HANDSHAKE_TIMEOUT_MS = 10_000;

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
    const server = createServer(options, hooks, where);
    const { maxConnections } = options;
    server.maxConnections = maxConnections;
    const kind = options.tls === undefined ? 'tcp' : 'tls';
    const onDrop = guarded('listener drop', warnProcess, (dropped?: DropArgument) => {
      const { remoteAddress = 'unknown', remotePort = 0 } = dropped ?? {};
      const text = `the limit of ${maxConnections} connections is reached`;
      hooks.onRefused({ kind, remoteAddress: remoteName(remoteAddress, remotePort), reason: 'full', text });
    });
    server.on('drop', onDrop);
    const handshakes =
      options.tls === undefined ? undefined : new Handshakes(server, (refusal) => hooks.onRefused(refusal));
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
        renew(tls) {
          if (server instanceof TlsServer) secure(server, tls, where);
        },
        close() {
          server.close();
          handshakes?.cut();
        },
      });
    });
    server.once('error', onRefused);
    server.listen({ host: host === '' ? undefined : host, port: options.port }, onListening);
  });
}

function createServer(options: SocketServerOptions, hooks: SocketServerHooks, where: string): Server {
  const take = taker(options, hooks);
  if (options.tls === undefined) return createTcpServer({ noDelay: true }, take);
  return createTls(options, take, where);
}

/** Takes over a socket. One that cannot be taken over is cut. */
function taker(options: SocketServerOptions, hooks: SocketServerHooks): Taker {
  const take = (socket: Socket): void => {
    try {
      hooks.onTransport(new SocketTransport(socket, options));
    } catch (error) {
      socket.destroy(asError(error));
      throw error;
    }
  };
  return guarded('listener connection', (error) => hooks.onWarning(errorText(error)), take);
}

function createTls(
  { tls = {}, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS }: SocketServerOptions,
  take: Taker,
  where: string,
): TlsServer {
  const sources = [tls.cert, tls.pfx, tls.secureContext, tls.SNICallback, tls.pskCallback];
  if (sources.every((source) => source === undefined)) {
    throw listenError(where, 'TLS needs a key and a certificate');
  }
  try {
    return createTlsServer({ ...withoutRenegotiation(tls), handshakeTimeout: handshakeTimeoutMs }, take);
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

function certificateError(where: string, tls: TlsOptions, cause: unknown): IotmpError {
  const text = certificateFault(tls) ?? `TLS does not take key and certificate (${errorText(cause)})`;
  return new IotmpError('IOTMP_ERR_LISTEN', `cannot listen on ${where}: ${text}`, { cause });
}

function listenError(where: string, cause: unknown): IotmpError {
  const code = systemCode(cause);
  const text = LISTEN_WORDS.get(code) ?? (code === '' ? errorText(cause) : code);
  return new IotmpError('IOTMP_ERR_LISTEN', `cannot listen on ${where}: ${text}`, { cause });
}
