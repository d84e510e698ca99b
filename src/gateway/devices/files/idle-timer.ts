import type { Clock, Timer } from '../../../util/clock';

/** Tells that nothing has happened for a time, unless it is stopped before. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onIdle: () => void;
  #timer: Timer;
  #touchedAt: number;

  constructor(clock: Clock, ms: number, onIdle: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onIdle = onIdle;
    this.#touchedAt = clock.now();
    this.#timer = this.#wait(ms);
  }

  /** Something has happened. */
  touch(): void {
    this.#touchedAt = this.#clock.now();
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** One timer serves many touches: only when it rings is it looked at how long ago the last one was. */
  #wait(ms: number): Timer {
    return this.#clock.after(ms, () => {
      const left = this.#touchedAt + this.#ms - this.#clock.now();
      if (left > 0) this.#timer = this.#wait(left);
      else this.#onIdle();
    });
  }
}
