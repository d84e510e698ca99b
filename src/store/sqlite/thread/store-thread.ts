import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorText } from '../../../errors';
import type { Job, Opening, Report } from './messages';

/** What a {@link StoreThread} tells. */
export interface ThreadListener {
  handleReport(report: Report): void;
  /** The thread is of no use any more, and answers nothing. It holds its file until it has ended. */
  handleDeath(why: string): void;
}

/** The worker is in the language of this file: TypeScript in tests, JavaScript when compiled. */
const WORKER = join(__dirname, `worker${extname(__filename)}`);

/** A thread that works on a database, so that nothing here ever waits for the disk. */
export class StoreThread {
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #listener: ThreadListener;
  #isDead = false;

  /** @param script another worker, for tests */
  constructor(listener: ThreadListener, script = WORKER) {
    this.#listener = listener;
    this.#worker = new Worker(script, { name: 'iotmp-store' });
    this.#worker.on('message', (report: Report) => this.#handleReport(report));
    this.#worker.on('messageerror', (error) => this.#handleDeath(errorText(error)));
    this.#worker.on('error', (error) => this.#handleDeath(errorText(error)));
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#handleDeath(`its thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Hands something to the thread, which keeps the process alive from now on. */
  post(message: Opening | readonly Job[]): void {
    this.#worker.ref();
    this.#worker.postMessage(message);
  }

  /** The thread has nothing to do and does not keep the process alive. */
  rest(): void {
    this.#worker.unref();
  }

  /** Ends the thread; nothing more is told of it. */
  async end(): Promise<void> {
    this.#isDead = true;
    await this.#worker.terminate();
    await this.ended;
  }

  #handleReport(report: Report): void {
    if (!this.#isDead) this.#listener.handleReport(report);
  }

  #handleDeath(why: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    void this.#worker.terminate();
    this.#listener.handleDeath(why);
  }
}
