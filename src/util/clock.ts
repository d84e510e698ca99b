import { guarded, warnProcess } from './guard';

/** A running timer of a {@link Clock}. */
export interface Timer {
  /** Stops the timer; stopping one that has run or was stopped does nothing. */
  cancel(): void;
}

/** Time as the library sees it, so that tests can hold it in their hands. */
export interface Clock {
  /** Milliseconds on a monotonic scale; only differences mean something. */
  now(): number;
  /** Runs `callback` once, `ms` milliseconds from now. What it throws becomes a warning of the process. */
  after(ms: number, callback: () => void): Timer;
}

/** Longest delay of a timer, in ms: Node.js fires a longer one at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** The clock of the machine. Delays of more than 24 days are cut to that. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) =>
    new SystemTimer(setTimeout(guarded('timer', warnProcess, callback), Math.min(ms, MAX_DELAY_MS))),
};

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | undefined;

  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }

  cancel(): void {
    clearTimeout(this.#handle);
    // The callback is not kept alive by whoever keeps the timer.
    this.#handle = undefined;
  }
}
