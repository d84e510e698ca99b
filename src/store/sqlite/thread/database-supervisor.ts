import { IotmpError, StorageError } from '../../../errors';
import { systemClock, type Clock, type Timer } from '../../../util/clock';
import { detached, guarded, warnProcess } from '../../../util/guard';
import { storageError } from '../database/sqlite-fault';
import { JobQueue } from './job-queue';
import { fromFailure, type DatabaseSettings, type Failure, type Report } from './messages';
import { StoreThread, type ThreadListener } from './store-thread';

/** What a {@link DatabaseSupervisor} is made with. */
export interface SupervisorOptions {
  readonly settings: DatabaseSettings;
  /** Time after which the database is opened again, in ms; undefined for never. */
  readonly reopenAfterMs?: number | undefined;
  readonly onFault?: ((fault: StorageError) => void) | undefined;
  readonly onRecovered?: (() => void) | undefined;
  /** Gets what a person should know. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Gets the name of a record that cannot be read. */
  readonly onDamaged?: ((name: string) => void) | undefined;
  readonly clock?: Clock;
  /** The worker, for tests. */
  readonly script?: string;
}

/**
 * Has a thread open a database, and knows what is wrong with it. A database that cannot be opened, or whose thread died, is
 * opened again and again, if that is wanted. Until it is open, everything that is asked for fails at once with what was
 * wrong the last time.
 */
export class DatabaseSupervisor {
  /** Has operations done on the database. */
  readonly jobs: JobQueue;
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #tellFault: (fault: StorageError) => void;
  readonly #tellRecovery: () => void;
  readonly #tellDamage: (name: string) => void;
  readonly #tellWarning: (text: string) => void;
  #thread: StoreThread | undefined;
  /** Resolves when the thread that died last has let go of the file. */
  #letGo: Promise<void> = Promise.resolve();
  #attempt: Promise<void>;
  #isOpen = false;
  #fault: StorageError | undefined;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { onFault, onRecovered } = options;
    this.#tellFault = guarded('store fault told', warnProcess, (fault: StorageError) => onFault?.(fault));
    this.#tellRecovery = guarded('store recovery told', warnProcess, () => onRecovered?.());
    this.#tellWarning = guarded('store warning told', warnProcess, (text: string) =>
      options.onWarning?.(text),
    );
    this.#tellDamage = guarded('store damage told', warnProcess, (name: string) => options.onDamaged?.(name));
    this.#clock = options.clock ?? systemClock;
    this.jobs = new JobQueue(options.settings.limits);
    this.#attempt = this.#open();
  }

  /** Resolves when the attempt to open the database that is under way has ended, either way. */
  get attempted(): Promise<void> {
    return this.#attempt;
  }

  /** What is wrong since the last operation or opening that failed. */
  get fault(): StorageError | undefined {
    return this.#fault;
  }

  /** Ends what is under way, closes the database and lets go of the thread. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What cannot be brought into the file is still in its log, and so not lost: it is no reason for `close` to fail. */
  async #close(): Promise<void> {
    this.#timer?.cancel();
    this.jobs.refusal = closedError();
    if (!this.#isOpen) await this.#attempt;
    try {
      if (this.#isOpen) await this.jobs.closeDatabase();
      await this.#thread?.release();
    } catch (error) {
      // Of a thread that died, the fault is noted already.
      if (this.#isOpen) this.#noteFault(StorageError.from(error, 'failed'));
      await this.#thread?.end();
    }
    await this.#letGo;
  }

  async #open(): Promise<void> {
    try {
      this.#thread ??= this.#newThread();
      await this.jobs.open(this.#thread, this.#options.settings);
    } catch (error) {
      await this.#letGo;
      this.#handleFailure(StorageError.from(error, 'unavailable'));
      return;
    }
    this.#isOpen = true;
    if (this.#closing !== undefined) return;
    this.jobs.refusal = undefined;
    if (this.#fault !== undefined) this.#handleRecovery();
  }

  #newThread(): StoreThread {
    const listener: ThreadListener = {
      handleReport: (report) => this.#handleReport(report),
      handleDeath: (why) => this.#handleDeath(why),
    };
    const { script } = this.#options;
    return script === undefined ? StoreThread.take(listener) : new StoreThread(listener, script);
  }

  #handleFailure(fault: StorageError): void {
    const isNews = fault.reason !== this.#fault?.reason;
    this.#fault = fault;
    if (this.#closing !== undefined) return;
    this.jobs.refusal = fault;
    this.#openLater();
    if (isNews && this.#options.reopenAfterMs !== undefined) this.#tellFault(fault);
  }

  #openLater(): void {
    const { reopenAfterMs } = this.#options;
    if (reopenAfterMs === undefined || this.#closing !== undefined) return;
    this.#timer = this.#clock.after(reopenAfterMs, () => {
      this.#attempt = this.#open();
    });
  }

  #handleReport({ answers, fault, warnings = [], damaged = [] }: Report): void {
    for (const text of warnings) this.#tellWarning(text);
    this.jobs.handleAnswers(answers);
    for (const name of damaged) this.#tellDamage(name);
    if (fault !== undefined) this.#handleNews(fault);
  }

  #handleNews(fault: Failure | null): void {
    if (fault === null) this.#handleRecovery();
    else this.#noteFault(StorageError.from(fromFailure(fault), 'failed'));
  }

  #handleRecovery(): void {
    this.#fault = undefined;
    this.#tellRecovery();
  }

  #noteFault(fault: StorageError): void {
    this.#fault = fault;
    this.#tellFault(fault);
  }

  /** Everything that waits fails, an opening that is under way, too. */
  #handleDeath(why: string): void {
    const fault = storageError('failed', this.#options.settings.file, why);
    const wasOpen = this.#isOpen;
    if (this.#thread !== undefined) this.#letGo = this.#thread.ended;
    this.#thread = undefined;
    this.#isOpen = false;
    if (this.#closing === undefined && wasOpen) this.jobs.refusal = fault;
    this.jobs.rejectAll(this.#closing === undefined ? fault : closedError());
    if (!wasOpen) return;
    this.#noteFault(fault);
    detached(
      'store reopening',
      warnProcess,
      this.#letGo.then(() => this.#openLater()),
    );
  }
}

function closedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the store is closed');
}
