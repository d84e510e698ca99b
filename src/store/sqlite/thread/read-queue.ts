import { StorageError, type IotmpError } from '../../../errors';
import type { Steps } from '../tables/operations';
import { toFailure, type JobAnswer } from './messages';

/** A read in steps; the last step has the result. */
export type ReadSteps = Pick<Steps<unknown>, 'next'>;

/** What a slice of time brought. */
export interface SliceResult {
  readonly answers: readonly JobAnswer[];
  /** The last fault of a read in it. */
  readonly fault: StorageError | undefined;
}

interface RunningRead {
  readonly id: number;
  readonly steps: ReadSteps;
}

/** Reads that are under way: one step of each, one after the other, until their time is over. */
export class ReadQueue {
  readonly #toError: (error: unknown) => IotmpError;
  readonly #reads: RunningRead[] = [];

  constructor(toError: (error: unknown) => IotmpError) {
    this.#toError = toError;
  }

  get isEmpty(): boolean {
    return this.#reads.length === 0;
  }

  add(id: number, steps: ReadSteps): void {
    this.#reads.push({ id, steps });
  }

  /** Goes on for at most so many ms, but for at least one step. */
  run(ms: number): SliceResult {
    const answers: JobAnswer[] = [];
    let fault: StorageError | undefined;
    const end = performance.now() + ms;
    do {
      const read = this.#reads.shift();
      if (read === undefined) break;
      try {
        const step = read.steps.next();
        if (step.done === true) answers.push({ id: read.id, value: step.value });
        else this.#reads.push(read);
      } catch (thrown) {
        const error = this.#toError(thrown);
        if (error instanceof StorageError) fault = error;
        answers.push({ id: read.id, failure: toFailure(error) });
      }
    } while (performance.now() < end);
    return { answers, fault };
  }
}
