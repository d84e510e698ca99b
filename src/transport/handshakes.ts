import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { systemCode } from '../errors';
import { guarded, warnProcess } from '../util/guard';
import { clientFault } from './client-certificate';
import type { ConnectionRefusal } from './connection-refusal';
import { remoteAddressOf } from './host-and-port';
import { handshakeText } from './tls-words';
import type { Newcomer, WaitingPlace } from './waiting-place';

/** What becomes of handshakes. */
export interface HandshakesPort {
  /** Whether each client has to show a valid certificate. */
  readonly needsCertificate: boolean;
  onSecure(socket: Socket, remoteAddress: string, place: WaitingPlace): void;
  /** A handshake has failed, or was cut as its place was needed. */
  onRefused(refusal: ConnectionRefusal): void;
}

/** The sockets of a TLS server whose handshake is not done: nobody else knows of them. */
export class Handshakes {
  readonly #server: Server;
  readonly #port: HandshakesPort;
  /** By the two ends of their socket, which the socket of the TLS server shares. */
  readonly #pending = new Map<string, PendingHandshake>();

  /** @param server listens to nothing itself */
  constructor(server: Server, port: HandshakesPort) {
    this.#server = server;
    this.#port = port;
    const onSecure = guarded('handshake done', warnProcess, (socket: Socket) => this.#handleSecure(socket));
    const onError = guarded('handshake failed', warnProcess, (error: Error, socket: Socket) =>
      this.#handleError(error, socket),
    );
    server.on('secureConnection', onSecure);
    server.on('tlsClientError', onError);
  }

  /**
   * Begins the handshake of a socket.
   * @param remoteAddress of the client, which may not be that of the socket
   */
  begin(socket: Socket, remoteAddress: string, place: WaitingPlace): void {
    const key = endsOf(socket);
    const pending = new PendingHandshake(socket, remoteAddress, place, (reason, text) => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
      this.#refuse(pending, reason, text);
    });
    place.holder = pending;
    this.#pending.set(key, pending);
    const onClose = guarded('handshake socket close', warnProcess, () => this.#handleClose(key, pending));
    socket.once('close', onClose);
    this.#server.emit('connection', socket);
  }

  /** Cuts the handshakes that are under way. */
  cut(): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { socket, place } of all) {
      place.leave();
      socket.destroy();
    }
  }

  #handleSecure(socket: Socket): void {
    const key = endsOf(socket);
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    // Its connection has just ended.
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    const fault = this.#port.needsCertificate ? clientFault(socket, Date.now()) : undefined;
    if (fault === undefined) {
      this.#port.onSecure(socket, pending.remoteAddress, pending.place);
      return;
    }
    socket.destroy();
    pending.place.leave();
    this.#refuse(pending, 'certificate', `the other end ${fault}`);
  }

  #handleError(error: Error, socket: Socket): void {
    const key = endsOf(socket);
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    // Node.js leaves a socket open whose handshake has run out of time.
    socket.destroy();
    if (pending === undefined) return;
    pending.place.leave();
    this.#refuse(pending, reasonOf(error), `the other end ${handshakeText(error)}`);
  }

  /** A peer that has sent nothing looked only whether the port is open. */
  #handleClose(key: string, pending: PendingHandshake): void {
    if (this.#pending.get(key) !== pending) return;
    this.#pending.delete(key);
    pending.place.leave();
    if (!pending.hasSent) return;
    this.#refuse(pending, 'handshake', 'the other end closed the connection in the TLS handshake');
  }

  #refuse({ remoteAddress }: PendingHandshake, reason: ConnectionRefusal['reason'], text: string): void {
    this.#port.onRefused({ kind: 'tls', remoteAddress, reason, text });
  }
}

/** A handshake that is under way. */
class PendingHandshake implements Newcomer {
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly place: WaitingPlace;
  readonly #onCut: (reason: 'crowded', text: string) => void;

  constructor(
    socket: Socket,
    remoteAddress: string,
    place: WaitingPlace,
    onCut: (reason: 'crowded', text: string) => void,
  ) {
    this.socket = socket;
    this.remoteAddress = remoteAddress;
    this.place = place;
    this.#onCut = onCut;
  }

  get hasSent(): boolean {
    return this.socket.bytesRead > 0;
  }

  turnOut(text: string): void {
    this.#onCut('crowded', text);
    this.socket.destroy();
  }
}

/** Names a connection: the same remote address may reach several addresses of this machine. */
function endsOf(socket: Socket): string {
  return `${remoteAddressOf(socket)} ${socket.localAddress ?? ''}`;
}

function reasonOf(error: Error): ConnectionRefusal['reason'] {
  const code = systemCode(error);
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'http';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return /^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|RECORD_TOO_SMALL)/.test(code) ? 'plain' : 'handshake';
}
