import { guarded, warnProcess } from '../../../src';

/** Time without a sample after which the age is told, in ms. */
const QUIET_MS = 10_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long a stream has been without a sample. */
export interface Silence {
  /** Such as `40 s` or `5 min`; rounded down. */
  readonly age: string;
  /** Whether no sample has come at all. */
  readonly isFirst: boolean;
}

/**
 * Tells how old the last sample of a stream is: not while samples come, and then in steps, so that a status changes
 * seldom. A sample costs no timer.
 */
export class SampleAge {
  readonly #onChange: (silence: Silence | undefined) => void;
  #quietMs = QUIET_MS;
  #heardAt = 0;
  #isFirst = true;
  #told = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange is called when the age has to be shown, and with `undefined` when a sample has come after that */
  constructor(onChange: (silence: Silence | undefined) => void) {
    this.#onChange = onChange;
  }

  /**
   * The stream is open.
   * @param intervalMs time between its samples; 0 where that is not known
   */
  begin(intervalMs: number): void {
    this.end();
    this.#quietMs = Math.max(QUIET_MS, 1.5 * intervalMs);
    this.#heardAt = Date.now();
    this.#isFirst = true;
    this.#arm(this.#quietMs);
  }

  /** A sample came. */
  heard(): void {
    this.#heardAt = Date.now();
    this.#isFirst = false;
    if (!this.#told) return;
    this.#told = false;
    this.#onChange(undefined);
    this.#arm(this.#quietMs);
  }

  /** The stream is not open any more. Idempotent. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = false;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    const look = guarded('sample age', warnProcess, () => this.#look());
    this.#timer = setTimeout(look, ms);
  }

  #look(): void {
    const ageMs = Date.now() - this.#heardAt;
    if (ageMs < this.#quietMs) {
      this.#arm(this.#quietMs - ageMs);
      return;
    }
    this.#told = true;
    this.#onChange({ age: ageText(ageMs), isFirst: this.#isFirst });
    this.#arm(stepOf(ageMs));
  }
}

/** Time until the text is another. */
function stepOf(ageMs: number): number {
  const step = ageMs < MINUTE_MS ? QUIET_MS : ageMs < HOUR_MS ? MINUTE_MS : HOUR_MS;
  return step - (ageMs % step);
}

function ageText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  return ms < DAY_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.floor(ms / DAY_MS)} d`;
}
