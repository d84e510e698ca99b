import { join, extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Time between two beats of the event loop, in ms. */
export const BEAT_MS = 25;

/** A time for which the event loop stood still. */
export interface Stall {
  readonly ms: number;
  /** What all threads of the process computed meanwhile, in ms: less than `ms` where the machine was busy elsewhere. */
  readonly cpuMs: number;
}

const NO_STALL: Stall = { ms: 0, cpuMs: 0 };

/** Options of the watchdog's thread. */
export interface WatchdogData {
  /** The beats of the event loop so far. */
  readonly beats: Int32Array<SharedArrayBuffer>;
  /** Where profiles of long stalls go. */
  readonly folder: string;
}

/** Measures how long the event loop stands still; a thread beside it keeps a profile of what ran in a long stall. */
export class LoopWatch {
  readonly #beats = new Int32Array(new SharedArrayBuffer(4));
  readonly #watchdog: Worker;
  #beatAt = performance.now();
  #cpu = process.cpuUsage();
  #longest = NO_STALL;

  /** @param folder for the profiles; it has to be there */
  constructor(folder: string) {
    const workerData: WatchdogData = { beats: this.#beats, folder };
    this.#watchdog = new Worker(join(__dirname, `loop-watchdog${extname(__filename)}`), { workerData });
    this.#watchdog.unref();
    setInterval(() => this.#beat(), BEAT_MS).unref();
  }

  /** The longest stall since the last call. */
  takeLongest(): Stall {
    const longest = this.#longest;
    this.#longest = NO_STALL;
    return longest;
  }

  /** Leaves out what the caller has just done. */
  restart(): void {
    this.#beatAt = performance.now();
    this.#cpu = process.cpuUsage();
  }

  #beat(): void {
    const now = performance.now();
    const ms = now - this.#beatAt - BEAT_MS;
    if (ms > this.#longest.ms) {
      const { user, system } = process.cpuUsage(this.#cpu);
      this.#longest = { ms, cpuMs: (user + system) / 1000 };
    }
    this.#beatAt = now;
    this.#cpu = process.cpuUsage();
    Atomics.add(this.#beats, 0, 1);
  }
}
