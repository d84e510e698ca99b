import { IotmpError } from '../../errors';
import type { Clock } from '../../util/clock';
import { DeadlineTimer } from '../requests/deadline-timer';
import { guarded, type FaultHandler } from '../../util/guard';

interface Piece {
  /** On the clock's scale, in ms. */
  readonly deadline: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Work on requests of the peer that is not done at once: bounded in number, each piece with a time limit, and
 * all of it let go when the session ends. What comes too late is dropped.
 */
export class PendingWork {
  readonly #limit: number;
  readonly #onFault: FaultHandler;
  readonly #pieces = new Set<Piece>();
  readonly #deadlines: DeadlineTimer;

  /**
   * @param limit pieces of work that may be under way at once
   * @param onFault gets what the functions throw that are waiting for a piece of work
   */
  constructor(clock: Clock, limit: number, onFault: FaultHandler) {
    this.#limit = limit;
    this.#onFault = onFault;
    this.#deadlines = new DeadlineTimer(clock, (now) => this.#endDue(now));
  }

  /** Pieces of work that are under way. */
  get size(): number {
    return this.#pieces.size;
  }

  /** @throws IotmpError IOTMP_ERR_BUSY when nothing more may be begun */
  checkRoom(): void {
    if (this.size >= this.#limit) throw new IotmpError('IOTMP_ERR_BUSY', 'too many calls at once');
  }

  /**
   * Waits for a piece of work. One of the two functions is called, neither after {@link endAll}. What they throw goes
   * to the fault handler.
   * @param timeoutMs time limit, in ms; past it `onError` gets IOTMP_ERR_TIMEOUT
   */
  wait(
    work: PromiseLike<unknown>,
    timeoutMs: number,
    onDone: (value: unknown) => void,
    onError: (error: unknown) => void,
  ): void {
    const piece: Piece = { deadline: this.#deadlines.note(timeoutMs), onError };
    this.#pieces.add(piece);
    // One of another kind may throw from its `then`, or call back twice.
    Promise.resolve(work).then(
      guarded('work done', this.#onFault, (value: unknown) => {
        if (this.#pieces.delete(piece)) onDone(value);
      }),
      guarded('work failed', this.#onFault, (error: unknown) => {
        if (this.#pieces.delete(piece)) onError(error);
      }),
    );
  }

  /** Lets go of everything that is under way. */
  endAll(): void {
    this.#deadlines.stop();
    this.#pieces.clear();
  }

  #endDue(now: number): number {
    let earliest = Infinity;
    for (const piece of this.#pieces) {
      const { deadline, onError } = piece;
      if (deadline > now) earliest = Math.min(earliest, deadline);
      else if (this.#pieces.delete(piece)) onError(new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer in time'));
    }
    return earliest;
  }
}
