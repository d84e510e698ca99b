import { errorText, IotmpError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import { detached } from '../util/guard';

/** What revocations depend on. */
export interface RevocationPort {
  readonly clock: Clock;
  readonly onWarning: (text: string) => void;
}

/** Keeps what a record lost; resolves when the store has it. */
type Keep = () => Promise<void>;

/** Maximum number of revocations that are written again. */
const MAX_OWED = 10_000;
/** Pause before the first repetition, and the longest one, in ms. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;
/** Maximum number of lines that name a revocation, until all are kept. */
const MAX_LINES = 20;

/**
 * Rights that were taken away and are in force, but that the store could not keep. They are written again and again, one after
 * the other, until the store has them: a restart before that would give the rights back.
 */
export class Revocations {
  readonly #port: RevocationPort;
  readonly #owed = new Map<string, Keep>();
  #timer: Timer | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #lines = 0;
  #isOverfull = false;
  #retrying: Promise<void> | undefined;
  #isClosed = false;

  constructor(port: RevocationPort) {
    this.#port = port;
  }

  /** Number of revocations that are not kept yet. */
  get size(): number {
    return this.#owed.size;
  }

  /**
   * Has a revocation written again until it is kept. One of the same name takes the place of the one before it.
   * @param what has lost rights, such as `the token ann/app`
   * @param error why it could not be kept
   */
  owe(what: string, error: unknown, keep: Keep): void {
    if (!this.#owed.has(what)) {
      if (this.#owed.size >= MAX_OWED) {
        this.#tellOverfull();
        return;
      }
      this.#tell(what, error);
    }
    this.#owed.set(what, keep);
    this.#retryLater();
  }

  /** Writes all of them now, as when the store works again. Those that fail are written again later. Never rejects. */
  retry(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#retrying ??= this.#retry().finally(() => (this.#retrying = undefined));
    return this.#retrying;
  }

  /** Writes them a last time, and no more after that. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.retry();
    if (this.#owed.size === 0) return;
    this.#port.onWarning(`${this.#owed.size} revocations are not kept, and count no more after a restart`);
  }

  async #retry(): Promise<void> {
    for (const [what, keep] of this.#owed) {
      try {
        await keep();
      } catch (error) {
        this.#handleFailure(error);
        return;
      }
      if (this.#owed.get(what) === keep) this.#owed.delete(what);
    }
    if (this.#lines > 0 && this.#owed.size === 0) this.#handleAllKept();
  }

  #handleFailure(error: unknown): void {
    // What waits behind a store that was closed waits for nothing.
    if (error instanceof IotmpError && error.code === 'IOTMP_ERR_CLOSED') return;
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    this.#retryLater();
  }

  #handleAllKept(): void {
    this.#port.onWarning('all that was revoked is kept now');
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#lines = 0;
    this.#isOverfull = false;
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#port.clock.after(this.#pauseMs, () =>
      detached('revocations retried', (error) => this.#port.onWarning(errorText(error)), this.retry()),
    );
  }

  #tell(what: string, error: unknown): void {
    this.#lines++;
    if (this.#lines > MAX_LINES + 1) return;
    this.#port.onWarning(
      this.#lines > MAX_LINES
        ? 'more was revoked that is not kept'
        : `${what} was revoked, but that is not kept: ${errorText(error)}. It counts no more, and is written again until it is kept. A restart before that would let it in again`,
    );
  }

  #tellOverfull(): void {
    if (this.#isOverfull) return;
    this.#isOverfull = true;
    this.#port.onWarning(
      `more than ${MAX_OWED} revocations are not kept: the others are in force until a restart, and are not written again`,
    );
  }
}
