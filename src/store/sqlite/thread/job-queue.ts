import { errorText, IotmpError } from '../../../errors';
import { guarded } from '../../../util/guard';
import type { StoreLimits } from '../../store-limits';
import type { LongOperationCaller } from '../tables/operations';
import type { AllOperations, LongReads, Reads, Writes } from '../tables/tables';
import { fromFailure, toFailure, type JobAnswer, type DatabaseSettings, type Job } from './messages';
import type { StoreThread } from './store-thread';

/** A job that has not been answered yet. Methods, as the promises of different jobs take different values. */
interface Waiting {
  readonly isWrite: boolean;
  readonly bytes: number;
  resolve(value: unknown): void;
  reject(error: IotmpError): void;
}

/**
 * The jobs on their way to the thread of a database and back, up to the limits of their number and of their bytes. What is
 * asked for in one turn of the event loop is posted together. While the thread is busy with writes, new jobs are gathered:
 * they go out as one message, and are one transaction there.
 */
export class JobQueue implements LongOperationCaller<AllOperations> {
  /** Why no operation is taken; undefined while the database is open. */
  refusal: IotmpError | undefined = new IotmpError('IOTMP_ERR_BUSY', 'the store is being opened');
  readonly #limits: StoreLimits;
  readonly #waiting = new Map<number, Waiting>();
  #thread: StoreThread | undefined;
  #lastId = 0;
  #bytes = 0;
  #outgoing: Job[] = [];
  #isFlushing = false;
  /** Number of writes that were posted and not answered yet. */
  #writesAway = 0;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  read<N extends keyof Reads>(name: N, args: Reads[N]['args']): Promise<Reads[N]['result']> {
    return this.#add({ id: ++this.#lastId, kind: 'read', name, args });
  }

  longRead<N extends keyof LongReads>(name: N, args: LongReads[N]['args']): Promise<LongReads[N]['result']> {
    return this.#add({ id: ++this.#lastId, kind: 'longRead', name, args });
  }

  write<N extends keyof Writes>(
    name: N,
    args: Writes[N]['args'],
    bytes: number,
  ): Promise<Writes[N]['result']> {
    return this.#add({ id: ++this.#lastId, kind: 'write', name, args }, bytes);
  }

  /** Looks for damage; answers what was found. */
  check(): Promise<readonly string[]> {
    return this.#add({ id: ++this.#lastId, kind: 'check' });
  }

  /** Lets other connections read the file. Resolves with false where that is not possible. */
  share(): Promise<boolean> {
    return this.#add({ id: ++this.#lastId, kind: 'share' });
  }

  /** Has the file for one connection again. */
  reclaim(): Promise<void> {
    return this.#add({ id: ++this.#lastId, kind: 'reclaim' });
  }

  /** Has a thread open the database. It gets all jobs from then on. */
  open(thread: StoreThread, settings: DatabaseSettings): Promise<void> {
    this.#thread = thread;
    const id = ++this.#lastId;
    thread.post({ id, settings });
    return this.#answerTo(id);
  }

  /** Has the thread close the database when everything else is done. */
  closeDatabase(): Promise<void> {
    return this.#send({ id: ++this.#lastId, kind: 'close' });
  }

  handleAnswers(answers: readonly JobAnswer[]): void {
    for (const answer of answers) this.#settle(answer);
    this.#flushSoon();
    if (this.#waiting.size === 0) this.#thread?.rest();
  }

  /** Rejects everything that waits, because the thread will not answer. */
  rejectAll(error: IotmpError): void {
    const all = [...this.#waiting.values()];
    this.#thread = undefined;
    this.#waiting.clear();
    this.#outgoing = [];
    this.#bytes = 0;
    this.#writesAway = 0;
    for (const waiting of all) waiting.reject(error);
  }

  async #add<Result>(job: Job, bytes = 0): Promise<Result> {
    if (this.refusal !== undefined) throw this.refusal;
    const { waitingJobs, waitingBytes } = this.#limits;
    const count = this.#waiting.size;
    // What is larger than the limit is taken alone.
    const isTooMuch = bytes > 0 && this.#bytes > 0 && this.#bytes + bytes > waitingBytes;
    if (count >= waitingJobs || isTooMuch) {
      const text = `too much waits for the store: ${count} jobs, ${this.#bytes} bytes`;
      throw new IotmpError('IOTMP_ERR_BUSY', text);
    }
    return this.#send(job, bytes);
  }

  #send<Result>(job: Job, bytes = 0): Promise<Result> {
    this.#outgoing.push(job);
    this.#flushSoon();
    return this.#answerTo(job.id, job.kind === 'write', bytes);
  }

  #answerTo<Result>(id: number, isWrite = false, bytes = 0): Promise<Result> {
    this.#bytes += bytes;
    return new Promise((resolve, reject) => this.#waiting.set(id, { isWrite, bytes, resolve, reject }));
  }

  #settle(answer: JobAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    this.#bytes -= waiting.bytes;
    if (waiting.isWrite) this.#writesAway--;
    if ('failure' in answer) waiting.reject(fromFailure(answer.failure));
    else waiting.resolve(answer.value);
  }

  #flushSoon(): void {
    if (this.#isFlushing || this.#writesAway > 0 || this.#outgoing.length === 0) return;
    this.#isFlushing = true;
    setImmediate(this.#flush);
  }

  readonly #flush = guarded(
    'store flush',
    (error) => this.#thread?.fail(error),
    () => {
      this.#isFlushing = false;
      const jobs = this.#outgoing;
      if (jobs.length === 0) return;
      this.#outgoing = [];
      this.#writesAway = jobs.filter(({ kind }) => kind === 'write').length;
      try {
        this.#thread?.post(jobs);
      } catch {
        // One of them has an argument that no thread can be handed. It must not cost the others.
        for (const job of jobs) this.#postAlone(job);
      }
    },
  );

  #postAlone(job: Job): void {
    try {
      this.#thread?.post([job]);
    } catch (cause) {
      const text = `an argument cannot be handed to the store: ${errorText(cause)}`;
      this.handleAnswers([{ id: job.id, failure: toFailure(new IotmpError('IOTMP_ERR_CONFIG', text)) }]);
    }
  }
}
