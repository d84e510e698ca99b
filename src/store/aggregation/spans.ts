import { spanLength, type SpanLength, type SpanName } from './span-name';
import { TimeZone } from './time-zone';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1 January 1970 was a Thursday; weeks begin on Monday. */
const FIRST_MONDAY = 4 * DAY_MS;

/** A span of time: from `start`, included, to `end`, not included; in ms since 1970. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Divides time into spans of a length, by the clock and the calendar of a zone. */
export class Spans {
  readonly #length: SpanLength;
  readonly #zone: TimeZone;

  constructor(name: SpanName, timeZone = 'UTC') {
    this.#length = spanLength(name);
    this.#zone = new TimeZone(timeZone);
  }

  /** The span that a moment falls into. */
  at(ts: number): Span {
    const length = this.#length;
    if ('ms' in length && length.ms <= HOUR_MS) return this.#short(ts, length.ms);
    const local = this.#zone.toLocal(ts);
    const [first, next] = longSpan(length, local);
    return { start: this.#zone.toMoment(first), end: this.#zone.toMoment(next) };
  }

  /** Up to an hour, a span is counted from the moment itself: an hour that the clock shows twice is two. */
  #short(ts: number, ms: number): Span {
    const local = this.#zone.toLocal(ts);
    const start = ts - (local - floorTo(local, ms));
    return { start, end: start + ms };
  }
}

/** Begin and end of the span in local time. */
function longSpan(length: SpanLength, local: number): [number, number] {
  if ('ms' in length) return evenSpan(local, length.ms, 0);
  if ('days' in length) return evenSpan(local, length.days * DAY_MS, 0);
  if ('weeks' in length) return evenSpan(local, length.weeks * WEEK_MS, FIRST_MONDAY);
  const date = new Date(local);
  const month = floorTo(12 * date.getUTCFullYear() + date.getUTCMonth(), length.months);
  return [startOfMonth(month), startOfMonth(month + length.months)];
}

function evenSpan(local: number, ms: number, origin: number): [number, number] {
  const start = floorTo(local - origin, ms) + origin;
  return [start, start + ms];
}

/** Local time at which a month begins; months are counted from the year 0. */
function startOfMonth(month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(Math.floor(month / 12), month % 12, 1);
  return date.getTime();
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
