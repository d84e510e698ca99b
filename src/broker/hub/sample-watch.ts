import type { Clock, Timer } from '../../util/clock';
import { coarseInterval } from './stream-intervals';

/** Silent intervals after which the form of the parameters is doubted, and after which a stream is stalled. */
const DOUBT_INTERVALS = 2;
const STALL_INTERVALS = 3;

/** Tolerance for the network and for a device's scheduler, in ms. */
const SLACK_MS = 1000;

/** Handles the silences that a {@link SampleWatch} notices. */
export interface SilenceHandler {
  /** Nothing followed the sample that comes at once: the device may not have understood the interval. */
  onDoubt(): void;
  /** No sample came for three intervals. `restartHelps` is false if a restart has just failed to help. */
  onStall(restartHelps: boolean): void;
}

/**
 * Watches a periodic stream for the samples that should come (`protocol.md` section 6). Intervals count as a
 * device with a clock of whole seconds keeps them. A sample sets no timer.
 */
export class SampleWatch {
  readonly #clock: Clock;
  readonly #handler: SilenceHandler;
  #timer: Timer | undefined;
  #intervalMs = 0;
  #startedAt = 0;
  #heardAt = 0;
  /** Samples since the last start or stall. The first sample comes at once and proves nothing. */
  #samples = 0;
  #proven = false;
  #doubted = false;
  #stalled = false;
  #restarted = false;

  constructor(clock: Clock, handler: SilenceHandler) {
    this.#clock = clock;
    this.#handler = handler;
  }

  /** Whether samples are missing. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Whether samples have come periodically, which shows that the device understood the parameters. */
  get proven(): boolean {
    return this.#proven;
  }

  /** A START_STREAM goes out. Until its answer, no sample is expected. */
  prepare(): void {
    this.stop();
    this.#samples = 0;
  }

  /** The START_STREAM was answered. From now on samples are expected at this interval, in ms. */
  start(intervalMs: number): void {
    this.stop();
    this.#intervalMs = coarseInterval(intervalMs);
    this.#startedAt = this.#clock.now();
    this.#heardAt = this.#startedAt;
    this.#arm();
  }

  /** A sample came. Returns true when it ended a stall. */
  heard(now: number): boolean {
    this.#heardAt = now;
    this.#samples++;
    if (this.#samples >= 2) {
      this.#proven = true;
      this.#restarted = false;
    }
    if (!this.#stalled) return false;
    this.#stalled = false;
    this.#arm();
    return true;
  }

  /** Ends the watch. Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get #mayDoubt(): boolean {
    return !this.#proven && !this.#doubted;
  }

  #arm(): void {
    this.#timer?.cancel();
    const due = this.#mayDoubt
      ? this.#startedAt + DOUBT_INTERVALS * this.#intervalMs
      : this.#heardAt + STALL_INTERVALS * this.#intervalMs;
    const wait = Math.max(0, due + SLACK_MS - this.#clock.now());
    this.#timer = this.#clock.after(wait, () => this.#check());
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#mayDoubt) {
      this.#doubted = true;
      this.#handler.onDoubt();
    } else if (this.#clock.now() < this.#heardAt + STALL_INTERVALS * this.#intervalMs + SLACK_MS) {
      this.#arm();
    } else {
      this.#stall();
    }
  }

  #stall(): void {
    const restartHelps = !this.#restarted;
    this.#stalled = true;
    this.#restarted = true;
    this.#samples = 0;
    this.#handler.onStall(restartHelps);
  }
}
