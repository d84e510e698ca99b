import { IotmpError, StorageError } from '../../errors';
import { systemClock, type Clock, type Timer } from '../../util/clock';
import type { Engine } from '../core/engine';
import type { LongReads, Reads, Writes } from '../core/operations';

/** What a {@link ReopeningEngine} needs. */
export interface Reopening {
  /** Opens the file; rejects with a StorageError where it cannot be opened. Calls `onDeath` when it is open no more. */
  readonly open: (onDeath: (fault: StorageError) => void) => Promise<Engine>;
  /** Time between two attempts, in ms. */
  readonly afterMs: number;
  readonly clock?: Clock;
  readonly onFault?: ((fault: StorageError) => void) | undefined;
  readonly onRecovered?: (() => void) | undefined;
}

/**
 * Opens a file again and again until it can be opened, such as when the process that holds it has ended, or after the
 * thread that had it open died. Until then all that is asked of it fails at once, with what was wrong the last time.
 */
export class ReopeningEngine implements Engine {
  readonly #port: Reopening;
  readonly #clock: Clock;
  #attempt: Promise<void>;
  #engine: Engine | undefined;
  /** Why there is no engine. */
  #fault: StorageError | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(port: Reopening) {
    this.#port = port;
    this.#clock = port.clock ?? systemClock;
    this.#attempt = this.#try();
  }

  /** Resolves when the attempt that is under way has ended, either way. */
  get attempted(): Promise<void> {
    return this.#attempt;
  }

  get fault(): StorageError | undefined {
    return this.#engine === undefined ? this.#fault : this.#engine.fault;
  }

  async read<N extends keyof Reads>(name: N, args: Reads[N]['args']): Promise<Reads[N]['result']> {
    return this.#opened().read(name, args);
  }

  async longRead<N extends keyof LongReads>(
    name: N,
    args: LongReads[N]['args'],
  ): Promise<LongReads[N]['result']> {
    return this.#opened().longRead(name, args);
  }

  async write<N extends keyof Writes>(
    name: N,
    args: Writes[N]['args'],
    bytes: number,
  ): Promise<Writes[N]['result']> {
    return this.#opened().write(name, args, bytes);
  }

  async check(): Promise<readonly string[]> {
    return this.#opened().check();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#attempt;
    await this.#engine?.close();
  }

  #opened(): Engine {
    if (this.#engine !== undefined) return this.#engine;
    if (this.#isClosed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the store is closed');
    throw this.#fault ?? new IotmpError('IOTMP_ERR_BUSY', 'the store is being opened');
  }

  async #try(): Promise<void> {
    try {
      this.#engine = await this.#port.open((fault) => this.#handleDeath(fault));
    } catch (error) {
      this.#handleFailure(StorageError.from(error, 'unavailable'));
      return;
    }
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#port.onRecovered?.();
  }

  #handleFailure(fault: StorageError): void {
    const isNews = fault.reason !== this.#fault?.reason;
    this.#fault = fault;
    this.#tryLater();
    if (isNews) this.#port.onFault?.(fault);
  }

  /** The engine itself has told of it. */
  #handleDeath(fault: StorageError): void {
    this.#engine = undefined;
    this.#fault = fault;
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.after(this.#port.afterMs, () => {
      this.#attempt = this.#try();
    });
  }
}
