import { IotmpError } from '../errors';
import type { Clock, Timer } from '../util/clock';

/**
 * Work on requests of the peer that is not done at once: bounded in number, each piece with a time limit, and
 * all of it let go when the session ends. What comes too late is dropped.
 */
export class PendingWork {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #timers = new Set<Timer>();

  /** @param limit pieces of work that may be under way at once */
  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Pieces of work that are under way. */
  get size(): number {
    return this.#timers.size;
  }

  /** @throws IotmpError IOTMP_ERR_BUSY when nothing more may be begun */
  checkRoom(): void {
    if (this.size >= this.#limit) throw new IotmpError('IOTMP_ERR_BUSY', 'too many calls at once');
  }

  /**
   * Waits for a piece of work. One of the two functions is called, neither after {@link endAll}; they must not
   * throw.
   * @param timeoutMs time limit, in ms; past it `onError` gets IOTMP_ERR_TIMEOUT
   */
  wait(
    work: Promise<unknown>,
    timeoutMs: number,
    onDone: (value: unknown) => void,
    onError: (error: unknown) => void,
  ): void {
    const timer = this.#clock.after(timeoutMs, () => {
      if (this.#take(timer)) onError(new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer in time'));
    });
    this.#timers.add(timer);
    work.then(
      (value) => {
        if (this.#take(timer)) onDone(value);
      },
      (error: unknown) => {
        if (this.#take(timer)) onError(error);
      },
    );
  }

  /** Lets go of everything that is under way. */
  endAll(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #take(timer: Timer): boolean {
    timer.cancel();
    return this.#timers.delete(timer);
  }
}
