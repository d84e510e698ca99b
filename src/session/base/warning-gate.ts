import type { Clock } from '../../util/clock';
import { FaultMeter } from '../fault-meter';

/** Keeps a peer, or a service, that gives cause for warnings from flooding the log. */
export class WarningGate {
  readonly #meter: FaultMeter;
  readonly #onWarning: (text: string) => void;
  #shut = false;

  constructor(clock: Clock, onWarning: (text: string) => void) {
    this.#meter = new FaultMeter(clock);
    this.#onWarning = onWarning;
  }

  /** Passes the warning on, unless there were many within the last minute. */
  warn(text: string): void {
    const isFlood = this.#meter.note();
    if (isFlood && this.#shut) return;
    this.#shut = isFlood;
    this.#onWarning(isFlood ? 'more warnings of this kind are left out' : text);
  }
}
