import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { transportSettings, type TransportOptions } from './transport-options';
import type { Transport } from './transport';
import { SUBPROTOCOL, webSocketSettings } from './web-socket-settings';
import { WebSocketTransport } from './web-socket-transport';
import { asError } from '../errors';
import { guarded } from '../util/guard';

/** Options of {@link createWebSocketAcceptor}; the transports that it makes get the same ones. */
export interface WebSocketAcceptorOptions extends TransportOptions {
  /** Largest WebSocket message to take, in bytes; see `maxPayloadFor`. */
  readonly maxPayload: number;
}

/** Turns upgrade requests of an HTTP server into transports. */
export interface WebSocketAcceptor {
  /**
   * Takes over an upgrade request, as a Node.js HTTP server's `upgrade` event brings it. `onTransport` is called
   * before `accept` returns, or not at all: a request that is no WebSocket handshake is answered and ended.
   * Whether the path is the right one is the caller's affair. Returns whether it was such a handshake.
   * @param remoteAddress of the client, where that is not the other end of the socket
   */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    onTransport: (transport: Transport) => void,
    remoteAddress?: string,
  ): boolean;
  /** From now on requests are answered with 503. The transports made so far are not touched. */
  close(): void;
}

/** Makes an acceptor of IoTMP over WebSocket (`protocol.md` section 1). */
export function createWebSocketAcceptor(options: WebSocketAcceptorOptions): WebSocketAcceptor {
  const server = new WebSocketServer({
    ...webSocketSettings(options.maxPayload, transportSettings(options).closeGraceMs),
    noServer: true,
    clientTracking: false,
    // Devices that offer no subprotocol, or only others, are welcome: they do not check the answer.
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  return {
    accept(request, socket, head, onTransport, remoteAddress) {
      let isUpgraded = false;
      const onUpgraded = guarded(
        'WebSocket upgraded',
        (error) => socket.destroy(asError(error)),
        (webSocket: WebSocket) => {
          isUpgraded = true;
          onTransport(new WebSocketTransport(webSocket, socket, options, remoteAddress));
        },
      );
      // Without a check of its own, `ws` calls back before it returns.
      server.handleUpgrade(request, socket, head, onUpgraded);
      return isUpgraded;
    },
    close() {
      server.close();
    },
  };
}
