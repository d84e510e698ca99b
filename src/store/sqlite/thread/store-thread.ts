import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorText } from '../../../errors';
import { detached, guarded, warnProcess } from '../../../util/guard';
import type { Job, Opening, Report } from './messages';

/** What a {@link StoreThread} tells. */
export interface ThreadListener {
  handleReport(report: Report): void;
  /** The thread is of no use any more, and answers nothing. It holds its file until it has ended. */
  handleDeath(why: string): void;
}

/** The worker is in the language of this file: TypeScript in tests, JavaScript when compiled. */
const WORKER = join(__dirname, `worker${extname(__filename)}`);

/** Maximum number of idle threads. */
const MAX_IDLE = 1;

/** Threads whose database is closed. To start another thread would take a tenth of a second. */
const idle = new Set<StoreThread>();

/** A thread that works on one database at a time, so that nothing here ever waits for the disk. */
export class StoreThread {
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #script: string;
  #listener: ThreadListener | undefined;

  /** @param script another worker, for tests */
  constructor(listener: ThreadListener, script = WORKER) {
    this.#listener = listener;
    this.#script = script;
    this.#worker = new Worker(script, { name: 'iotmp-store' });
    const fail = (error: unknown): void => this.fail(error);
    const onError = guarded('store error', warnProcess, fail);
    const onReport = guarded('store report', fail, (report: Report) => this.#listener?.handleReport(report));
    this.#worker.on('message', onReport);
    this.#worker.on('messageerror', onError);
    this.#worker.on('error', onError);
    this.ended = new Promise((resolve) => {
      const onExit = guarded('store exit', warnProcess, (code: number) => {
        resolve();
        this.#handleDeath(`its thread ended with code ${code}`);
      });
      this.#worker.on('exit', onExit);
    });
  }

  /** A thread without a database: one that is idle, or a new one. */
  static take(listener: ThreadListener): StoreThread {
    const [thread] = idle;
    if (thread === undefined) return new StoreThread(listener);
    idle.delete(thread);
    thread.#listener = listener;
    return thread;
  }

  /** Hands something to the thread, which keeps the process alive from now on. */
  post(message: Opening | readonly Job[]): void {
    this.#worker.ref();
    this.#worker.postMessage(message);
  }

  /** Takes the thread for dead because of something that was thrown. */
  fail(error: unknown): void {
    this.#handleDeath(errorText(error));
  }

  /** The thread has nothing to do, and does not keep the process alive. */
  rest(): void {
    this.#worker.unref();
  }

  /** The thread has no database any more: it waits for the next store, unless enough threads do so already. */
  async release(): Promise<void> {
    if (idle.size === MAX_IDLE || this.#script !== WORKER) return this.end();
    idle.add(this);
    this.#listener = undefined;
    this.rest();
  }

  /** Ends the thread; nothing more is told of it. */
  async end(): Promise<void> {
    this.#listener = undefined;
    await this.#worker.terminate();
    await this.ended;
  }

  #handleDeath(why: string): void {
    idle.delete(this);
    const listener = this.#listener;
    this.#listener = undefined;
    detached('store thread ended', warnProcess, this.#worker.terminate());
    listener?.handleDeath(why);
  }
}
