import { BoundedMap } from './bounded-map';
import type { Clock, Timer } from './clock';
import { RateLimiter } from './rate-limiter';

/** Lines of a whole server or client. */
export const LINES = { perSecond: 0.2, burst: 10 };
/** Lines about one device, over all its connections. */
const OF_ONE = { perSecond: 0.1, burst: 5 };
/** Time until it is told how many lines were left out: at first, and while it goes on. In ms. */
const FIRST_PAUSE_MS = 4000;
const PAUSE_MS = 60_000;
/** Maximum number of devices whose lines are counted apart. */
const MAX_COUNTED = 1000;

/**
 * The lines that may be written into a log, in all and about each device. Peers can cause any number of lines, and must not
 * fill the disk with them: lines past the budget are left out, counted, and told of with their number.
 */
export class LineBudget {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  /** The budget in all, for others who write into the same log; its key is ''. */
  readonly all: RateLimiter;
  readonly #ofOne: RateLimiter;
  readonly #leftOutOf = new BoundedMap<string, number>(MAX_COUNTED);
  #leftOut = 0;
  #toldAt = -Infinity;
  #timer: Timer | undefined;

  /**
   * @param write takes the lines that tell what was left out
   */
  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
    this.all = new RateLimiter(LINES, clock);
    this.#ofOne = new RateLimiter(OF_ONE, clock);
  }

  /**
   * Whether one more line may be written now. One that may not is counted.
   * @param about the device that it is about, if any
   */
  allows(about?: string): boolean {
    const isFree =
      (about === undefined || this.#ofOne.reserve(about, 0).isTaken) && this.all.reserve('', 0).isTaken;
    if (!isFree) this.#leaveOut(about);
    return isFree;
  }

  /** Tells what is not told yet, and ends the timer. */
  close(): void {
    this.#timer?.cancel();
    this.#tell();
  }

  #leaveOut(about: string | undefined): void {
    this.#leftOut++;
    if (about !== undefined) this.#leftOutOf.set(about, (this.#leftOutOf.get(about) ?? 0) + 1);
    if (this.#timer !== undefined) return;
    const goesOn = this.#clock.now() - this.#toldAt < 2 * PAUSE_MS;
    this.#timer = this.#clock.after(goesOn ? PAUSE_MS : FIRST_PAUSE_MS, () => this.#tell());
  }

  #tell(): void {
    this.#timer = undefined;
    if (this.#leftOut === 0) return;
    const [worst] = [...this.#leftOutOf].sort(([, one], [, other]) => other - one);
    const about = worst === undefined ? '' : `, ${worst[1]} of them about ${worst[0]}`;
    this.#write(`${this.#leftOut} more lines were left out${about}`);
    this.#toldAt = this.#clock.now();
    this.#leftOut = 0;
    this.#leftOutOf.clear();
  }
}
