import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { quoted } from '../../broker/refusals/refusal-line';
import { errorText, IotmpError } from '../../errors';
import { isOriginAllowed, type AllowedOrigins } from '../../transport/web-socket-origin';
import { clientNetwork } from '../limits/client-network';
import { isAudited, tokenName } from '../audit/audited-route';
import { checkAccess } from '../auth/access';
import { admit } from '../auth/admittance';
import type { Authentication } from '../auth/authentication';
import type { GatewayContext } from '../gateway-context';
import { failure, type BodyAnswer } from '../http/answer';
import type { RequestTurns } from '../limits/request-turns';
import { forbidden, notFound, unauthorized } from '../http/request-error';
import { isOwnPath, parseTarget } from '../http/request-target';
import type { Router } from '../http/router';
import { isKnownDevice } from '../devices/known-device';
import { ClientSocket, CloseCode, MAX_CLOSE_GRACE_MS } from './client-socket';
import type { SocketRoute, SocketService } from './socket-route';
import { detached, guarded, warnProcess } from '../../util/guard';

/** The parts of the gateway that serve a WebSocket handshake. */
export interface SocketFrontPort {
  readonly context: GatewayContext;
  readonly router: Router<SocketRoute>;
  readonly authentication: Authentication;
  readonly requests: RequestTurns;
  /** As in the options of the gateway. */
  readonly isServedElsewhere: (target: string) => boolean;
  readonly origins: AllowedOrigins;
  readonly onFault: (text: string) => void;
}

interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

interface SocketMatch {
  readonly query: URLSearchParams;
  readonly captures: Readonly<Record<string, string>>;
  readonly route: SocketRoute;
}

/** Maximum number of refused origins that are told. */
const MAX_TOLD_ORIGINS = 10;
/** Time that all clients have to answer a close frame when the gateway is closed, in ms. */
const CLOSE_GRACE_MS = 2_000;

const SETTINGS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  closeTimeout: MAX_CLOSE_GRACE_MS,
} as const;

/** Serves the WebSocket handshakes of programs: authenticates, and refuses over HTTP. */
export class SocketFront {
  readonly #port: SocketFrontPort;
  readonly #server: WebSocketServer;
  readonly #open = new Set<ClientSocket>();
  readonly #sockets = new Set<Duplex>();
  /** Origins whose refusal was told. */
  readonly #toldOrigins = new Set<string>();

  constructor(port: SocketFrontPort) {
    this.#port = port;
    this.#server = new WebSocketServer({ ...SETTINGS, maxPayload: port.context.limits.maxBodyBytes });
  }

  /** Takes over an upgrade request. Returns false, and does not touch it, when its path is not one of the gateway. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): boolean {
    const match = this.#find(target);
    if (match === undefined && !isOwnPath(target, this.#port.isServedElsewhere)) return false;
    this.#sockets.add(socket);
    const cut = (): void => void socket.destroy();
    socket.on('error', guarded('upgraded socket error', warnProcess, cut));
    const forget = guarded('upgraded socket close', warnProcess, () => void this.#sockets.delete(socket));
    socket.once('close', forget);
    // Nobody else would end the socket.
    if (match === undefined) this.#refuse(socket, notFound('no WebSockets are taken at this path'));
    else if (!isOriginAllowed(request, this.#port.origins)) this.#refuseOrigin(request, socket);
    else detached('upgrade', cut, this.#accept({ request, socket, head }, match));
    return true;
  }

  /** Ends all sockets. Resolves when they are gone. */
  async close(): Promise<void> {
    const gone = [...this.#sockets].map(closeOf);
    for (const client of this.#open) client.close(CloseCode.GOING_AWAY, 'the server was stopped');
    this.#server.close();
    const deadline = this.#port.context.clock.after(CLOSE_GRACE_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await Promise.all(gone);
    deadline.cancel();
  }

  /** Completes the handshake. From here on a failure cannot be answered over HTTP any more. */
  #serve(client: ClientSocket, serve: SocketService): void {
    try {
      serve(client);
    } catch (error) {
      if (!(error instanceof IotmpError)) this.#port.onFault(`a socket failed: ${errorText(error)}`);
      client.close(CloseCode.POLICY, errorText(error).slice(0, 100));
    }
  }

  #find(target: string): SocketMatch | undefined {
    try {
      const { segments, query } = parseTarget(target);
      const match = this.#port.router.find(segments);
      const route = match?.routes.get('SOCKET');
      return match && route && { query, route, captures: match.captures };
    } catch (error) {
      if (error instanceof IotmpError) return undefined;
      throw error;
    }
  }

  async #accept(
    { request, socket, head }: UpgradeRequest,
    { query, captures, route }: SocketMatch,
  ): Promise<void> {
    const { context, onFault } = this.#port;
    const life = new AbortController();
    socket.once(
      'close',
      guarded('upgrade given up', warnProcess, () => life.abort()),
    );
    const stopWatching = watchForEnd(socket);
    let record: (status: number) => Promise<void> = () => Promise.resolve();
    try {
      const principal = await admit(this.#port, request, query, { signal: life.signal, hold: holdNothing });
      if (isAudited({ ...route, method: 'GET' }, captures)) {
        record = (status) =>
          context.audit.record({
            actor: 'api',
            by: principal.user,
            token: tokenName(principal),
            action: 'OpenDeviceConversation',
            target: Object.values(captures).join('/'),
            status,
            address: clientNetwork({ context, request }),
          });
      }
      checkAccess(principal, route, captures);
      let end = (): void => void socket.destroy();
      const holder = {
        token: principal.token,
        counts: () => principal.counts() && isThere(context, captures),
      };
      const leave = guarded(
        'API socket left',
        warnProcess,
        context.places.take(holder, () => end()),
      );
      socket.once('close', leave);
      if (life.signal.aborted) leave();
      const param = (name: string): string => captures[name] ?? '';
      const serve = await route.open({ context, query, principal, signal: life.signal, param });
      if (!principal.counts()) throw unauthorized('the token is wrong, expired or revoked');
      await record(101);
      stopWatching();
      const onFault = (): void => void socket.destroy();
      const onUpgraded = guarded('API socket upgraded', onFault, (webSocket: WebSocket) => {
        const { clock, limits, metrics } = context;
        const client = new ClientSocket(webSocket, { clock, limits, metrics, principal });
        this.#open.add(client);
        end = () => client.close(CloseCode.POLICY, 'the token or the device counts no more');
        const forget = guarded('API socket forgotten', warnProcess, () => void this.#open.delete(client));
        webSocket.once('close', forget);
        this.#serve(client, serve);
      });
      this.#server.handleUpgrade(request, socket, head, onUpgraded);
    } catch (error) {
      if (!(error instanceof IotmpError)) onFault(`a handshake failed: ${errorText(error)}`);
      const { status } = failure(error);
      if (status === 403 || status >= 500) await record(status);
      this.#refuse(socket, error);
    }
  }

  /** Some origins are told, once each: whoever looks after the server may want to allow them. */
  #refuseOrigin({ headers: { origin = '' } }: IncomingMessage, socket: Duplex): void {
    this.#refuse(socket, forbidden('pages of this origin may not open WebSockets here'));
    if (this.#toldOrigins.has(origin) || this.#toldOrigins.size >= MAX_TOLD_ORIGINS) return;
    this.#toldOrigins.add(origin);
    this.#port.onFault(
      `pages of ${quoted(origin)} may not open WebSockets of the API: their origin is not allowed`,
    );
  }

  #refuse(socket: Duplex, error: unknown): void {
    const answer = failure(error);
    this.#port.context.metrics.socketsRefused.add({ status: String(answer.status) });
    refuse(socket, answer);
  }
}

/** Nothing is read from a socket before its handshake is answered. */
function holdNothing(): () => void {
  return () => undefined;
}

/** Whether the device of a socket still exists. */
function isThere(context: GatewayContext, { user = '', device }: SocketMatch['captures']): boolean {
  return device === undefined || isKnownDevice(context, { user, device });
}

/**
 * Notices that a client goes away while its handshake waits, until the returned function is called, as nobody else reads
 * the socket then. Data that the client sent too early stays in place.
 */
function watchForEnd(socket: Duplex): () => void {
  const onEnd = guarded('upgrade end', warnProcess, () => void socket.destroy());
  const onReadable = guarded('upgrade readable', onEnd, () => void socket.read(0));
  socket.on('readable', onReadable).once('end', onEnd);
  return () => socket.off('readable', onReadable).off('end', onEnd);
}

function closeOf(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', guarded('upgraded socket gone', warnProcess, resolve));
  });
}

/** Answers a handshake with an error over HTTP. */
function refuse(socket: Duplex, { status, type = '', body = '' }: BodyAnswer): void {
  if (socket.destroyed) return;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${String(body)}`);
  socket.once(
    'finish',
    guarded('upgrade refused', warnProcess, () => void socket.destroy()),
  );
}
