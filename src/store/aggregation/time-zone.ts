import { IotmpError } from '../../errors';

const DAY_MS = 86_400_000;
/** Clocks are put forward and back at multiples of this. */
const GRAIN_MS = 900_000;
/** The calendar that is used counts the days of months long gone as it does today's. */
const CALENDAR = 'gregory';

/** The clock of a time zone. Local time is a number too: the ms since 1970 that a clock on the wall shows. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | undefined;
  /** A stretch of time in which the offset is known to be the same. */
  #from = 0;
  #until = 0;
  #offset = 0;

  /** `name` is one of the IANA database, such as `Europe/Madrid`. `IOTMP_ERR_CONFIG` for one that is not known. */
  constructor(name: string) {
    this.#format = name === 'UTC' ? undefined : makeFormat(name);
  }

  /** What the wall shows at a moment. */
  toLocal(ts: number): number {
    return ts + this.#offsetAt(ts);
  }

  /**
   * The moment at which the wall shows a local time: the first one where it does so twice; where the clock jumps over
   * it, the time that it would have been by the clock before the jump.
   */
  toMoment(local: number): number {
    const before = local - this.#offsetAt(local - DAY_MS);
    if (this.toLocal(before) === local) return before;
    const after = local - this.#offsetAt(local + DAY_MS);
    return this.toLocal(after) === local ? after : before;
  }

  #offsetAt(ts: number): number {
    if (this.#format === undefined) return 0;
    if (ts >= this.#from && ts < this.#until) return this.#offset;
    return this.#learn(this.#format, ts);
  }

  /** A formatter takes microseconds: a day that begins and ends with the same offset is asked only once. */
  #learn(format: Intl.DateTimeFormat, ts: number): number {
    const dayStart = ts - modulo(ts, DAY_MS);
    const offset = offsetBy(format, dayStart);
    if (offset === offsetBy(format, dayStart + DAY_MS)) return this.#remember(dayStart, DAY_MS, offset);
    return this.#remember(ts - modulo(ts, GRAIN_MS), GRAIN_MS, offsetBy(format, ts));
  }

  #remember(from: number, length: number, offset: number): number {
    this.#from = from;
    this.#until = from + length;
    this.#offset = offset;
    return offset;
  }
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: CALENDAR,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `unknown time zone "${timeZone}"`, { cause });
  }
}

function offsetBy(format: Intl.DateTimeFormat, ts: number): number {
  const parts = new Map(format.formatToParts(ts).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const wall = new Date(0);
  wall.setUTCFullYear(number('year'), number('month') - 1, number('day'));
  wall.setUTCHours(number('hour'), number('minute'), number('second'));
  return wall.getTime() - (ts - modulo(ts, 1000));
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
