import type { IotmpServer } from '../../broker/broker';
import type { ListenerKind } from '../../broker/broker-events';
import type { ListenerStatus } from '../../broker/listener';
import { publicText, systemCode } from '../../errors';
import type { ServerServices } from '../../services/server-services';
import type { Clock } from '../../util/clock';
import { memoryUse, shortMemory, type MemoryUse } from './memory-pressure';

/** Something that keeps a server from doing all of its work. */
export interface HealthReason {
  readonly part: 'server' | 'listener' | 'store' | 'memory';
  /** A short stable word, such as `full`, `EADDRINUSE` or `heap`. */
  readonly reason: string;
  /** The same in words. It names no file and no device. */
  readonly message: string;
}

/** What the health of a server is seen from. */
export interface HealthPort {
  readonly server: Pick<IotmpServer, 'running' | 'listenerStatus'>;
  readonly services: Pick<ServerServices, 'storeFault'>;
  readonly clock: Clock;
  /** What is wrong with what stands around the server, such as a path for WebSockets that is taken. */
  readonly around?: () => readonly HealthReason[];
  readonly memory?: () => MemoryUse;
}

/** Time that a look at the server counts for, in ms: a flood of questions costs no more than one. */
const LOOK_MS = 1000;

/**
 * Whether a server does all of its work. An event loop that stands still is seen from outside only: nobody answers.
 */
export class ServerHealth {
  readonly #port: HealthPort;
  #lookedAt = -Infinity;
  #reasons: readonly HealthReason[] = [];

  constructor(port: HealthPort) {
    this.#port = port;
  }

  /** What is wrong, as it was a second ago at most; empty where all is well. */
  get reasons(): readonly HealthReason[] {
    const now = this.#port.clock.now();
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#reasons = this.#look();
    }
    return this.#reasons;
  }

  #look(): readonly HealthReason[] {
    const { server, around } = this.#port;
    if (!server.running) return [{ part: 'server', reason: 'stopped', message: 'the server does not run' }];
    return [...this.#listeners(), ...(around?.() ?? []), ...this.#store(), ...this.#memory()];
  }

  #listeners(): HealthReason[] {
    return [...this.#port.server.listenerStatus].flatMap(([kind, status]) => listenerReason(kind, status));
  }

  #store(): HealthReason[] {
    const fault = this.#port.services.storeFault;
    return fault === undefined ? [] : [{ part: 'store', reason: fault.reason, message: publicText(fault) }];
  }

  #memory(): HealthReason[] {
    const { memory = memoryUse } = this.#port;
    const short = shortMemory(memory());
    const message = 'more than 90 % of the memory is in use';
    return short === undefined ? [] : [{ part: 'memory', reason: short, message }];
  }
}

function listenerReason(kind: ListenerKind, status: ListenerStatus): HealthReason[] {
  if (status.kind !== 'error') return [];
  const code = systemCode(status.error.cause);
  const message = `the ${kind.toUpperCase()} port ${status.port} is not open`;
  return [{ part: 'listener', reason: code === '' ? 'failed' : code, message }];
}
