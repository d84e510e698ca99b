import type { Clock, Timer } from '../../util/clock';
import { detached, warnProcess } from '../../util/guard';

/** Time from the first bucket with a retention to the first removal, in ms. */
const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;

/**
 * Removes old rows once an hour, also from buckets without writes. Its timer runs only while there is a bucket
 * that needs it.
 */
export class Retention {
  readonly #clock: Clock;
  readonly #prune: () => Promise<boolean>;
  #timer: Timer | undefined;
  #runs = false;
  #notes = 0;
  #closed = false;

  /** @param prune removes old rows; resolves with whether it must be called again. Must not reject */
  constructor(clock: Clock, prune: () => Promise<boolean>) {
    this.#clock = clock;
    this.#prune = prune;
  }

  /** There is a bucket with a retention. */
  note(): void {
    this.#notes++;
    if (this.#timer === undefined && !this.#runs) this.#schedule(FIRST_MS);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      detached('retention', warnProcess, this.#run());
    });
  }

  async #run(): Promise<void> {
    this.#runs = true;
    const notes = this.#notes;
    const goesOn = await this.#prune();
    this.#runs = false;
    // The walk may have missed a bucket that was noted meanwhile.
    if (goesOn || this.#notes > notes) this.#schedule(EVERY_MS);
  }
}
