import { IotmpError } from '../../errors';
import type { StoreLimits } from '../store-limits';
import { fromFailure } from './failure';
import { OPENING, type Answer } from './messages';

/** A job that has not been answered yet. Methods, as the promises of different jobs take different values. */
interface Waiting {
  readonly isWrite: boolean;
  readonly bytes: number;
  resolve(value: unknown): void;
  reject(error: IotmpError): void;
}

/** The jobs that have not been answered yet, up to the limits of their number and of their bytes. */
export class WaitingJobs {
  readonly #limits: StoreLimits;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = OPENING;
  #bytes = 0;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** A new id; `IOTMP_ERR_BUSY` where too much waits already. One job is always taken, however large. */
  nextId(bytes: number): number {
    const { waitingJobs, waitingBytes } = this.#limits;
    const count = this.#waiting.size;
    if (count >= waitingJobs || (count > 0 && this.#bytes + bytes > waitingBytes)) {
      throw new IotmpError(
        'IOTMP_ERR_BUSY',
        `too much waits for the store: ${count} jobs, ${this.#bytes} bytes`,
      );
    }
    return ++this.#lastId;
  }

  /** Waits for the answer to a job. */
  answerTo<Result>(id: number, isWrite = false, bytes = 0): Promise<Result> {
    this.#bytes += bytes;
    return new Promise((resolve, reject) => this.#waiting.set(id, { isWrite, bytes, resolve, reject }));
  }

  /** Settles what an answer is for; answers whether that was a write. */
  settle(answer: Answer): boolean {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return false;
    this.#waiting.delete(answer.id);
    this.#bytes -= waiting.bytes;
    if ('failure' in answer) waiting.reject(fromFailure(answer.failure));
    else waiting.resolve(answer.value);
    return waiting.isWrite;
  }

  rejectAll(error: IotmpError): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#bytes = 0;
    for (const waiting of all) waiting.reject(error);
  }
}
