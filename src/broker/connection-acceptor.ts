import { IotmpError } from '../errors';
import { WarningGate } from '../session/base/warning-gate';
import type { Transport } from '../transport/transport';
import type { ConnectionOrigin, WaitingPlace } from '../transport/waiting-place';
import type { Clock } from '../util/clock';
import type { ResolvedServerOptions } from './broker-options';
import { isSameCertificateRule } from './certificate-identity';
import { DevicePace } from './device-pace';
import { Connection, type ConnectionContext } from './connection';
import { WaitingRoom } from './doors/waiting-room';
import { refusedLogin } from './refusals/refusal';

/** What the acceptor needs of its server. */
export type ConnectionAcceptorPort = Omit<ConnectionContext, 'pace' | 'warnings' | 'onGone'>;

/** Takes over connections, up to a limit, and ends all of them when the server closes. */
export class ConnectionAcceptor {
  readonly #context: ConnectionContext;
  readonly #connections = new Set<Connection>();
  readonly #room: WaitingRoom;
  #reviewed: ResolvedServerOptions;
  #shut = false;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(port: ConnectionAcceptorPort, clock: Clock) {
    this.#context = {
      ...port,
      pace: new DevicePace(clock),
      warnings: new WarningGate(clock, (text) => port.onWarning(text)),
      onGone: (connection) => this.#handleGone(connection),
    };
    this.#reviewed = port.options();
    this.#room = new WaitingRoom(clock, () => {
      const { maxConnections, limits } = port.options();
      return { ...limits, maxConnections };
    });
  }

  /** Number of connections that are not logged in. */
  get waiting(): number {
    return this.#room.waiting;
  }

  /**
   * Gives a place to a connection that begins. There is none after {@link close}, and where all are taken by connections
   * that are logged in; that is told. A blocked address gets none; that is counted.
   */
  admit(origin: ConnectionOrigin): WaitingPlace | undefined {
    if (this.#shut || this.#context.brake.turnsAway(origin.remoteAddress)) return undefined;
    const place = this.#room.enter(origin.remoteAddress);
    if (place !== undefined) return place;
    const { maxConnections } = this.#context.options();
    const text = `the limit of ${maxConnections} connections is reached`;
    this.#context.onRefused(refusedLogin(origin, 'full', text));
    return undefined;
  }

  /** Takes over a connection with its place. One without a place, or after {@link close}, is cut. */
  accept(transport: Transport, place = this.admit(transport)): void {
    if (place === undefined || this.#shut) {
      place?.leave();
      turnAway(transport);
      return;
    }
    this.#connections.add(new Connection(transport, this.#context, place));
  }

  /** Takes connections again after {@link close}. */
  open(): void {
    this.#shut = false;
  }

  /** Ends all connections, and takes no more; resolves when they are gone. */
  async close(): Promise<void> {
    this.#shut = true;
    for (const { session } of this.#connections) {
      session.close(new IotmpError('IOTMP_ERR_CLOSED', 'the server was stopped'));
    }
    if (this.#connections.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Ends all connections of the TLS port, logged in or not, if it asks for other certificates than at the last call. */
  review(): void {
    const before = this.#reviewed;
    this.#reviewed = this.#context.options();
    if (isSameCertificateRule(before, this.#reviewed)) return;
    const reason = new IotmpError('IOTMP_ERR_AUTH', 'the device has to log in again');
    for (const { session } of [...this.#connections])
      if (session.transport.kind === 'tls') session.close(reason);
  }

  #handleGone(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}

function turnAway(transport: Transport): void {
  transport.start({ onData: ignore, onDrain: ignore, onClose: ignore });
  transport.destroy();
}

function ignore(): void {
  // Turned away: nothing that it sends matters.
}
