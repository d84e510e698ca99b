import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorText, IotmpError, StorageError } from '../../errors';
import type { Engine } from '../core/engine';
import type { LongReads, Reads, Writes } from '../core/operations';
import { fromFailure, type Failure } from './failure';
import { OPENING, type Job, type Report, type WorkerSettings } from './messages';
import { storageError } from './sqlite-fault';
import { WaitingJobs } from './waiting-jobs';
import { detached, guarded, warnProcess } from '../../util/guard';

/** Who is told of faults, and of the end. */
export interface EngineListener {
  readonly onFault?: ((fault: StorageError) => void) | undefined;
  readonly onRecovered?: (() => void) | undefined;
  /** The thread of an open file died and has let go of it; this engine is of no use any more. Its fault came first. */
  readonly onDeath?: ((fault: StorageError) => void) | undefined;
}

/** The worker is in the language of this file: TypeScript in tests, JavaScript when compiled. */
const WORKER = join(__dirname, `worker${extname(__filename)}`);

/**
 * Has all operations done by a worker thread that has the file open, so that nothing here ever waits for the disk. While
 * the worker is busy with writes, new jobs are gathered: they go to it as one message, and are one transaction there.
 */
export class WorkerEngine implements Engine {
  /** Settles when the file is open, or when it cannot be opened. */
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #file: string;
  readonly #listener: EngineListener;
  readonly #jobs: WaitingJobs;
  readonly #exited: Promise<void>;
  #outgoing: Job[] = [];
  #isOpen = false;
  #isFlushing = false;
  /** Writes at the worker. */
  #writesAway = 0;
  #fault: StorageError | undefined;
  /** Why nothing more is taken. */
  #end: IotmpError | undefined;
  /** Why the thread of an open file is of no use any more. */
  #death: StorageError | undefined;
  #closing: Promise<void> | undefined;
  readonly #onFault = (error: unknown): void => this.#handleDeath(errorText(error));

  /** `script` is another worker, for tests. */
  constructor(settings: WorkerSettings, listener: EngineListener = {}, script = WORKER) {
    this.#file = settings.file;
    this.#listener = listener;
    this.#jobs = new WaitingJobs(settings.limits);
    this.opened = this.#open();
    this.#worker = new Worker(script, { workerData: settings, name: 'iotmp-store' });
    const onReport = guarded('store report', this.#onFault, (report: Report) => this.#handleReport(report));
    const onError = guarded('store error', this.#onFault, (error: Error) => this.#onFault(error));
    this.#worker.on('message', onReport);
    this.#worker.on('messageerror', onError);
    this.#worker.on('error', onError);
    this.#exited = new Promise((resolve) => {
      const onExit = guarded('store exit', this.#onFault, (code: number) => {
        this.#handleDeath(`its thread ended with code ${code}`);
        resolve();
        if (this.#death !== undefined) this.#listener.onDeath?.(this.#death);
      });
      this.#worker.on('exit', onExit);
    });
  }

  get fault(): StorageError | undefined {
    return this.#fault;
  }

  read<N extends keyof Reads>(name: N, args: Reads[N]['args']): Promise<Reads[N]['result']> {
    return this.#send((id) => ({ id, kind: 'read', name, args }));
  }

  longRead<N extends keyof LongReads>(name: N, args: LongReads[N]['args']): Promise<LongReads[N]['result']> {
    return this.#send((id) => ({ id, kind: 'longRead', name, args }));
  }

  write<N extends keyof Writes>(
    name: N,
    args: Writes[N]['args'],
    bytes: number,
  ): Promise<Writes[N]['result']> {
    return this.#send((id) => ({ id, kind: 'write', name, args }), bytes);
  }

  check(): Promise<readonly string[]> {
    return this.#send((id) => ({ id, kind: 'check' }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    try {
      await this.#jobs.answerTo(OPENING);
      this.#isOpen = true;
    } catch (error) {
      this.#end = StorageError.from(error, 'failed');
      throw error;
    }
  }

  /** What cannot be brought into the file is still in its log, and so not lost: it is no reason for `close` to fail. */
  async #close(): Promise<void> {
    if (this.#end === undefined) {
      const closed = this.#send<undefined>((id) => ({ id, kind: 'close' }));
      this.#end = new IotmpError('IOTMP_ERR_CLOSED', 'the store is closed');
      await closed.catch((error: unknown) => this.#noteFault(StorageError.from(error, 'failed')));
    }
    await this.#exited;
  }

  async #send<Result>(makeJob: (id: number) => Job, bytes = 0): Promise<Result> {
    if (this.#end !== undefined) throw this.#end;
    const job = makeJob(this.#jobs.nextId(bytes));
    this.#outgoing.push(job);
    this.#flushSoon();
    return this.#jobs.answerTo<Result>(job.id, job.kind === 'write', bytes);
  }

  /** What is asked for in one turn of the event loop goes out together. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#writesAway > 0) return;
    this.#isFlushing = true;
    setImmediate(
      guarded('store flush', this.#onFault, () => {
        this.#isFlushing = false;
        this.#flush();
      }),
    );
  }

  #flush(): void {
    const jobs = this.#outgoing;
    if (jobs.length === 0) return;
    this.#outgoing = [];
    this.#writesAway = jobs.filter(({ kind }) => kind === 'write').length;
    this.#worker.postMessage(jobs);
  }

  #handleReport({ answers, fault }: Report): void {
    for (const answer of answers) {
      if (this.#jobs.settle(answer)) this.#writesAway--;
    }
    this.#flushSoon();
    if (fault !== undefined) this.#handleFault(fault);
  }

  #handleFault(fault: Failure | null): void {
    if (fault !== null) this.#noteFault(StorageError.from(fromFailure(fault), 'failed'));
    else {
      this.#fault = undefined;
      this.#listener.onRecovered?.();
    }
  }

  #noteFault(fault: StorageError): void {
    this.#fault = fault;
    this.#listener.onFault?.(fault);
  }

  /** The thread ended, or is of no use any more. */
  #handleDeath(why: string): void {
    if (this.#end !== undefined) {
      this.#jobs.rejectAll(this.#end);
      return;
    }
    const fault = storageError('failed', this.#file, why);
    this.#end = fault;
    this.#outgoing = [];
    this.#jobs.rejectAll(fault);
    detached('store thread ended', warnProcess, this.#worker.terminate());
    if (!this.#isOpen) return;
    this.#death = fault;
    this.#noteFault(fault);
  }
}
