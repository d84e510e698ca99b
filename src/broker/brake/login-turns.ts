import { guarded, warnProcess } from '../../util/guard';

interface NetworkTries {
  /** Tries that were charged, and whose check is not done. */
  undecided: number;
  /** Tries that wait, the oldest first. */
  readonly waiting: Set<() => boolean>;
}

/**
 * Where checks take time, tries that will be given back may have emptied the bucket of their address: who comes then waits
 * until one of them is decided. Each that waits has a connection, which the time for a login ends.
 */
export class LoginTurns {
  readonly #networks = new Map<string, NetworkTries>();

  /** Number of tries that wait. */
  get waiting(): number {
    let waiting = 0;
    for (const turns of this.#networks.values()) waiting += turns.waiting.size;
    return waiting;
  }

  /** Whether a try of an address is being checked, so that it may be given back. */
  isOpen(network: string): boolean {
    return (this.#networks.get(network)?.undecided ?? 0) > 0;
  }

  /** The check of a try takes time. */
  begin(network: string): void {
    const turns = this.#networks.get(network) ?? { undecided: 0, waiting: new Set() };
    turns.undecided++;
    this.#networks.set(network, turns);
  }

  /** A try that had begun is decided, or given up: others may have their turn. */
  end(network: string): void {
    const turns = this.#networks.get(network);
    if (turns === undefined) return;
    turns.undecided--;
    for (const attempt of turns.waiting) {
      if (!attempt()) break;
    }
    if (turns.undecided === 0 && turns.waiting.size === 0) this.#networks.delete(network);
  }

  /**
   * Waits for a turn of an address that {@link isOpen}.
   * @param attempt is called at each turn, until it gives a result; it must give one when the address is not open any more
   * @param signal ends the waiting, with `undefined`
   */
  wait<T>(network: string, attempt: () => T | undefined, signal: AbortSignal): Promise<T | undefined> {
    const waiting = this.#networks.get(network)?.waiting;
    if (waiting === undefined || signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const finish = (result: T | undefined): void => {
        waiting.delete(onTurn);
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const onAbort = guarded('login turn given up', warnProcess, () => finish(undefined));
      const onTurn = (): boolean => {
        const result = attempt();
        if (result === undefined) return false;
        finish(result);
        return true;
      };
      waiting.add(onTurn);
      signal.addEventListener('abort', onAbort);
    });
  }
}
