import type { Server, Socket } from 'node:net';
import { systemCode } from '../errors';
import { guarded, warnProcess } from '../util/guard';
import type { ConnectionRefusal } from './connection-refusal';
import { remoteAddressOf } from './host-and-port';
import { handshakeText } from './tls-words';

/** The sockets of a TLS server whose handshake is not done: nobody else knows of them. */
export class Handshakes {
  readonly #pending = new Map<string, Socket>();
  readonly #onRefused: (refusal: ConnectionRefusal) => void;

  /** @param onRefused hears of each handshake that failed */
  constructor(server: Server, onRefused: (refusal: ConnectionRefusal) => void) {
    this.#onRefused = onRefused;
    const onConnection = guarded('handshake begins', warnProcess, (socket: Socket) => this.#add(socket));
    const onSecure = guarded('handshake done', warnProcess, (socket: Socket) => {
      this.#pending.delete(remoteAddressOf(socket));
    });
    const onError = guarded('handshake failed', warnProcess, (error: Error, socket: Socket) =>
      this.#handleError(error, socket),
    );
    server.on('connection', onConnection);
    server.on('secureConnection', onSecure);
    server.on('tlsClientError', onError);
  }

  /** Cuts the handshakes that are under way. */
  cut(): void {
    const sockets = [...this.#pending.values()];
    this.#pending.clear();
    for (const socket of sockets) socket.destroy();
  }

  #add(socket: Socket): void {
    const address = remoteAddressOf(socket);
    const onClose = guarded('handshake socket close', warnProcess, () => this.#handleClose(address, socket));
    this.#pending.set(address, socket);
    socket.once('close', onClose);
  }

  #handleError(error: Error, socket: Socket): void {
    const address = remoteAddressOf(socket);
    const isTold = this.#pending.delete(address);
    // Node.js leaves a socket open whose handshake has run out of time.
    socket.destroy();
    if (isTold) this.#refuse(address, reasonOf(error), handshakeText(error));
  }

  /** A peer that has sent nothing looked only whether the port is open. */
  #handleClose(address: string, socket: Socket): void {
    if (this.#pending.get(address) !== socket) return;
    this.#pending.delete(address);
    if (socket.bytesRead > 0)
      this.#refuse(address, 'handshake', 'closed the connection in the TLS handshake');
  }

  #refuse(remoteAddress: string, reason: ConnectionRefusal['reason'], what: string): void {
    this.#onRefused({ kind: 'tls', remoteAddress, reason, text: `the other end ${what}` });
  }
}

function reasonOf(error: Error): ConnectionRefusal['reason'] {
  const code = systemCode(error);
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'http';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return /^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|RECORD_TOO_SMALL)/.test(code) ? 'plain' : 'handshake';
}
