import type { Value } from '../../types';
import type { Clock, Timer } from '../../util/clock';

/** Share of a sample's distance from its due time that the next due time follows: in step, without copying the jitter. */
const FOLLOW = 1 / 8;
/** Intervals of silence that may be made up for at once: what a stalled network held back comes in one piece. */
const MAX_LATE = 10;
/**
 * Samples that may pass before they are due: those of a second, but some of long intervals, too. Each is earned again by so
 * much time without one, in ms.
 */
const EXTRAS_MS = 1000;
const MIN_EXTRAS = 4;
const CALM_MS = 8000;
/**
 * Where yet another sample comes too early, the next one is late for each of them by this part of the interval, in ms at most:
 * a flood gains nothing by them.
 */
const PAYBACK = 1.25;
const MAX_PAYBACK_MS = 1250;

/** Handles what a {@link SampleThinning} decides. */
export interface ThinningHandler {
  pass(sample: Value | undefined, now: number): void;
  /** A sample gave way to a newer one. */
  thinned(): void;
}

/**
 * Brings a device stream down to the interval that was asked for: of samples that come too early the newest waits until one
 * is due. Devices that keep the interval are not touched:
 * - a sample may be early by half an interval, and due times follow the clock of the device, up to 6 % faster;
 * - after a silence as many samples may come at once as are missing, up to ten;
 * - a few samples in between pass at once: an echo of what was written, an event, the first after the start.
 */
export class SampleThinning {
  readonly #clock: Clock;
  readonly #handler: ThinningHandler;
  #intervalMs = 0;
  /** When the next sample is due; `undefined` before the first. */
  #dueAt: number | undefined;
  #extras = 0;
  /** Extras that are to be paid back when samples go on to come too early. */
  #debt = 0;
  /** When the last sample came too early, or the last extra was earned. */
  #calmSince = 0;
  /** The newest sample that came too early, its time, and the number of those that came since the last passed. */
  #newest: Value | undefined;
  #newestAt = 0;
  #early = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, handler: ThinningHandler) {
    this.#clock = clock;
    this.#handler = handler;
  }

  /** A stream begins, or begins anew: its first sample passes. */
  begin(intervalMs: number): void {
    this.end();
    this.#intervalMs = intervalMs;
    this.#dueAt = undefined;
    this.#extras = this.#maxExtras;
    this.#debt = 0;
    this.#calmSince = Infinity;
  }

  /** A sample came. */
  take(sample: Value | undefined, now: number): void {
    if (this.#early > 0) this.#hold(sample, now);
    else if (this.#dueAt === undefined || now >= this.#dueAt - this.#intervalMs / 2)
      this.#passDue(sample, now);
    else if (this.#extras > 0) this.#passExtra(sample, now);
    else this.#hold(sample, now);
  }

  /** Lets the sample that waits go. Idempotent. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#early = 0;
    this.#newest = undefined;
  }

  get #maxExtras(): number {
    return Math.max(MIN_EXTRAS, Math.floor(EXTRAS_MS / this.#intervalMs));
  }

  #passDue(sample: Value | undefined, now: number): void {
    const interval = this.#intervalMs;
    const due = Math.max(this.#dueAt ?? now, now - MAX_LATE * interval);
    const lateness = now - due;
    this.#dueAt = due + interval + (lateness < interval ? lateness * FOLLOW : 0);
    this.#earn(now);
    this.#handler.pass(sample, now);
  }

  #earn(now: number): void {
    this.#calmSince = Math.min(this.#calmSince, now);
    if (now - this.#calmSince < CALM_MS || this.#extras >= this.#maxExtras) return;
    this.#extras++;
    this.#debt = Math.max(0, this.#debt - 1);
    this.#calmSince = now;
  }

  #passExtra(sample: Value | undefined, now: number): void {
    this.#extras--;
    this.#debt++;
    this.#calmSince = now;
    this.#handler.pass(sample, now);
  }

  #hold(sample: Value | undefined, now: number): void {
    this.#calmSince = now;
    this.#newest = sample;
    this.#newestAt = now;
    if (this.#early++ > 0) {
      this.#handler.thinned();
      return;
    }
    const payback = this.#debt * Math.min(PAYBACK * this.#intervalMs, MAX_PAYBACK_MS);
    this.#debt = 0;
    this.#dueAt = (this.#dueAt ?? now) + payback;
    this.#timer = this.#clock.after(Math.max(0, this.#dueAt - now), () => this.#release());
  }

  /** One that waited alone came in step after all: the due times move towards it. */
  #release(): void {
    const interval = this.#intervalMs;
    const sample = this.#newest;
    const now = this.#clock.now();
    const next = Math.max((this.#dueAt ?? now) + interval, now);
    this.#dueAt = this.#early > 1 ? next : Math.max(this.#newestAt + interval, next - interval * FOLLOW);
    this.end();
    this.#handler.pass(sample, now);
  }
}
