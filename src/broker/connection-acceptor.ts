import { IotmpError } from '../errors';
import { WarningGate } from '../session/base/warning-gate';
import type { Transport } from '../transport/transport';
import type { Clock } from '../util/clock';
import { DevicePace } from './device-pace';
import { LoginThrottle } from './login-throttle';
import { Connection, type ConnectionContext } from './connection';
import { refusedLogin } from './refusals/refusal';

/** What the acceptor needs of its server. */
export type ConnectionAcceptorPort = Omit<ConnectionContext, 'throttle' | 'pace' | 'warnings' | 'onGone'>;

/** Takes over connections, up to a limit, and ends all of them when the server closes. */
export class ConnectionAcceptor {
  readonly #context: ConnectionContext;
  readonly #connections = new Set<Connection>();
  #shut = false;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(port: ConnectionAcceptorPort, clock: Clock) {
    this.#context = {
      ...port,
      throttle: new LoginThrottle(clock),
      pace: new DevicePace(clock),
      warnings: new WarningGate(clock, (text) => port.onWarning(text)),
      onGone: (connection) => this.#handleGone(connection),
    };
  }

  /** Takes over a connection. One past the limit, or after {@link close}, is cut. */
  accept(transport: Transport): void {
    if (this.#shut || this.#connections.size >= this.#context.options().maxConnections) {
      this.#turnAway(transport);
      return;
    }
    this.#connections.add(new Connection(transport, this.#context));
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

  #turnAway(transport: Transport): void {
    if (!this.#shut) {
      const { maxConnections } = this.#context.options();
      this.#context.onRefused(
        refusedLogin(transport, 'full', `the limit of ${maxConnections} connections is reached`),
      );
    }
    transport.start({ onData: ignore, onDrain: ignore, onClose: ignore });
    transport.destroy();
  }

  #handleGone(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}

function ignore(): void {
  // Turned away: nothing that it sends matters.
}
