import type { Clock } from '../../util/clock';
import { pause } from '../../util/pause';

/** Time for which a refusal is held back, in ms: a board without a pause of its own tries again when it is refused. */
const HOLD_MS = 5000;
/** Maximum number of refusals of one address that are held back. */
const MAX_OF_ADDRESS = 64;

/** Holds back the refusals of logins that were not checked. */
export class HeldRefusals {
  readonly #clock: Clock;
  readonly #networks = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Holds a refusal back, but no longer than its connection lives.
   * @returns `undefined` where as many of the address are held back as may be
   */
  hold(network: string, signal: AbortSignal): Promise<void> | undefined {
    const held = this.#networks.get(network) ?? 0;
    if (held >= MAX_OF_ADDRESS) return undefined;
    this.#networks.set(network, held + 1);
    return pause(HOLD_MS, this.#clock, signal).then(() => this.#leave(network));
  }

  #leave(network: string): void {
    const left = (this.#networks.get(network) ?? 1) - 1;
    if (left > 0) this.#networks.set(network, left);
    else this.#networks.delete(network);
  }
}
