import type { Clock } from '../../util/clock';
import { RateWindow } from '../../util/rate-window';

const FLOOD = { limit: 10, windowMs: 60_000 };

/** Keeps the warnings about one peer or one service from flooding the log. */
export class WarningGate {
  readonly #rate: RateWindow;
  readonly #onWarning: (text: string) => void;
  #leftOut = 0;

  constructor(clock: Clock, onWarning: (text: string) => void) {
    this.#rate = new RateWindow(FLOOD, clock);
    this.#onWarning = onWarning;
  }

  /** Passes the warning on, unless there were ten within the last minute. */
  warn(text: string): void {
    const isFlood = this.#rate.note();
    if (isFlood) {
      if (this.#leftOut++ === 0) this.#onWarning('more warnings of this kind are left out');
      return;
    }
    if (this.#leftOut > 0) this.#onWarning(`${this.#leftOut} warnings of this kind were left out`);
    this.#leftOut = 0;
    this.#onWarning(text);
  }
}
