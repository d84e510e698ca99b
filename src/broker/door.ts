import { IotmpError } from '../errors';
import { WarningGate } from '../session/base/warning-gate';
import type { Transport } from '../transport/transport';
import type { Clock } from '../util/clock';
import { LoginThrottle } from './login-throttle';
import { Visit, type VisitContext } from './visit';

/** What the door needs of its server. */
export type DoorPort = Omit<VisitContext, 'throttle' | 'warnings' | 'onGone'>;

/** Lets connections in, as many as there may be, and has them all leave at the end. */
export class Door {
  readonly #context: VisitContext;
  readonly #visits = new Set<Visit>();
  readonly #warnings: WarningGate;
  #full = false;
  #shut = false;
  #onEmpty: (() => void) | undefined;

  constructor(port: DoorPort, clock: Clock) {
    this.#warnings = new WarningGate(clock, (text) => port.onWarning(text));
    this.#context = {
      ...port,
      throttle: new LoginThrottle(clock),
      warnings: this.#warnings,
      onGone: (visit) => this.#handleGone(visit),
    };
  }

  /** A connection was made. */
  enter(transport: Transport): void {
    if (this.#shut || this.#visits.size >= this.#context.options().maxConnections) {
      this.#turnAway(transport);
      return;
    }
    this.#full = false;
    this.#visits.add(new Visit(transport, this.#context));
  }

  /** Lets devices in again after {@link close}. */
  open(): void {
    this.#shut = false;
  }

  /** Ends all connections, and takes no more; resolves when they are gone. */
  async close(): Promise<void> {
    this.#shut = true;
    for (const { session } of this.#visits) {
      session.close(new IotmpError('IOTMP_ERR_CLOSED', 'the server was stopped'));
    }
    if (this.#visits.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #turnAway(transport: Transport): void {
    if (!this.#shut && !this.#full) {
      this.#full = true;
      this.#warnings.warn('too many connections: new ones are turned away');
    }
    transport.start({ onData: ignore, onDrain: ignore, onClose: ignore });
    transport.destroy();
  }

  #handleGone(visit: Visit): void {
    this.#visits.delete(visit);
    if (this.#visits.size > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  }
}

function ignore(): void {
  // Turned away: nothing that it sends matters.
}
