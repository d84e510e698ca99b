import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Transport } from '../../transport/transport';
import type { ConnectionOrigin } from '../../transport/waiting-place';
import { createWebSocketAcceptor, type WebSocketAcceptor } from '../../transport/web-socket-acceptor';
import { isOriginAllowed } from '../../transport/web-socket-origin';
import { maxPayloadFor } from '../../transport/web-socket-settings';
import { guarded, warnProcess } from '../../util/guard';
import type { ResolvedServerOptions } from '../broker-options';
import { refusedLogin } from '../refusals/refusal';
import type { RefusedLogin } from '../refusals/refused-login';

/** What the door needs of its server. */
export interface UpgradeDoorPort {
  options(): ResolvedServerOptions;
  onTransport(transport: Transport): void;
  onRefused(login: RefusedLogin): void;
}

/** Time between two pings of a device's WebSocket, in ms: proxies cut what is idle for a minute. */
const DEVICE_PING_MS = 30_000;

/** Takes over WebSocket upgrades of an HTTP server. */
export class UpgradeDoor {
  readonly #port: UpgradeDoorPort;
  #acceptor: WebSocketAcceptor | undefined;

  constructor(port: UpgradeDoorPort) {
    this.#port = port;
  }

  /** Takes over an upgrade. A request of a page that may not do so, or that is no WebSocket handshake, is refused. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { proxies, origins } = this.#port.options();
    const remoteAddress = proxies.clientOf(request);
    const origin: ConnectionOrigin = { kind: 'ws', remoteAddress };
    if (!isOriginAllowed(request, origins)) {
      forbid(socket);
      this.#port.onRefused(
        refusedLogin(origin, 'origin', 'pages of this origin may not open WebSockets here'),
      );
      return;
    }
    this.#acceptor ??= this.#newAcceptor();
    const onTransport = (transport: Transport): void => this.#port.onTransport(transport);
    if (this.#acceptor.accept(request, socket, head, onTransport, remoteAddress)) return;
    this.#port.onRefused(refusedLogin(origin, 'handshake', 'the request is no WebSocket handshake'));
  }

  /** Lets go of what depends on the options. Takes upgrades again with the next one. */
  reset(): void {
    this.#acceptor?.close();
    this.#acceptor = undefined;
  }

  #newAcceptor(): WebSocketAcceptor {
    const { maxMessageSize, clock } = this.#port.options();
    return createWebSocketAcceptor({
      maxPayload: maxPayloadFor(maxMessageSize),
      pingMs: DEVICE_PING_MS,
      clock,
    });
  }
}

/** Answers a handshake with 403. */
function forbid(socket: Duplex): void {
  const cut = guarded('forbidden upgrade', warnProcess, () => void socket.destroy());
  socket.once('error', cut).once('finish', cut);
  socket.end(`HTTP/1.1 403 ${STATUS_CODES[403] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
