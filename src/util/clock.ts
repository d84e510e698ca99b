/** A running timer of a {@link Clock}. */
export interface Timer {
  /** Stops the timer; stopping one that has run or was stopped does nothing. */
  cancel(): void;
}

/** Time as the library sees it, so that tests can hold it in their hands. */
export interface Clock {
  /** Milliseconds on a monotonic scale; only differences mean something. */
  now(): number;
  /** Runs `callback` once, `ms` milliseconds from now. */
  after(ms: number, callback: () => void): Timer;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const handle = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(handle) };
  },
};
