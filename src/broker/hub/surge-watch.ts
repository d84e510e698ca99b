/** How many times as many samples as were asked for make a surge, and how many a second they are at least. */
const FACTOR = 10;
const MIN_PER_SECOND = 10;
/** Time that a surge lasts before something is done about it, in ms. It is looked at in slices, none of which may be calm. */
const SURGE_MS = 10_000;
const SLICE_MS = 1000;
/** Time after a surge in which another one counts as the same, in ms. */
const AGAIN_MS = 60_000;

/** A device that sends far more samples than it was asked for. */
export interface Surge {
  /** Samples a second. */
  readonly perSecond: number;
  /** Whether there was a surge shortly before, so that starting the stream again did not help. */
  readonly isAgain: boolean;
}

/** Notices that a periodic stream brings ten times the samples that were asked for, for ten seconds on end. */
export class SurgeWatch {
  #limit = Infinity;
  #sliceAt = 0;
  #count = 0;
  #surgeMs = 0;
  #surgedAt = -Infinity;

  /** A stream begins, or begins anew, with this interval in ms. */
  begin(intervalMs: number, now: number): void {
    this.#limit = Math.max((FACTOR * 1000) / intervalMs, MIN_PER_SECOND);
    this.#sliceAt = now;
    this.#count = 0;
    this.#surgeMs = 0;
  }

  /** A sample came. Tells of a surge that has lasted long enough, and then looks for another one. */
  heard(now: number): Surge | undefined {
    this.#count++;
    const sliceMs = now - this.#sliceAt;
    if (sliceMs < SLICE_MS) return undefined;
    const perSecond = (this.#count * 1000) / sliceMs;
    this.#sliceAt = now;
    this.#count = 0;
    this.#surgeMs = perSecond >= this.#limit ? this.#surgeMs + sliceMs : 0;
    if (this.#surgeMs < SURGE_MS) return undefined;
    this.#surgeMs = 0;
    const isAgain = now - this.#surgedAt < AGAIN_MS;
    this.#surgedAt = now;
    return { perSecond: Math.round(perSecond), isAgain };
  }
}
