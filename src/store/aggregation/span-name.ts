import { IotmpError } from '../../errors';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long a span of time is: so many ms of the local clock, or so many days, weeks or months of the calendar. */
export type SpanLength =
  | { readonly ms: number }
  | { readonly days: number }
  | { readonly weeks: number }
  | { readonly months: number };

const SPANS = {
  '1min': { ms: MINUTE },
  '5min': { ms: 5 * MINUTE },
  '10min': { ms: 10 * MINUTE },
  '15min': { ms: 15 * MINUTE },
  '30min': { ms: 30 * MINUTE },
  '1h': { ms: HOUR },
  '3h': { ms: 3 * HOUR },
  '6h': { ms: 6 * HOUR },
  '12h': { ms: 12 * HOUR },
  '1d': { days: 1 },
  '1w': { weeks: 1 },
  '1mo': { months: 1 },
  '3mo': { months: 3 },
  '6mo': { months: 6 },
  '1y': { months: 12 },
} as const satisfies Record<string, SpanLength>;

/** A length of time by which rows are put together. */
export type SpanName = keyof typeof SPANS;

/** Other spellings that programs use: `m` is minutes, and `mo` months. */
const ALIASES = {
  '1m': '1min',
  '5m': '5min',
  '10m': '10min',
  '15m': '15min',
  '30m': '30min',
} as const satisfies Record<string, SpanName>;

/** The span that a program means by a text such as `10m`; `IOTMP_ERR_CONFIG` if there is none of that name. */
export function parseSpan(text: string): SpanName {
  if (isKeyOf(ALIASES, text)) return ALIASES[text];
  if (isKeyOf(SPANS, text)) return text;
  const names = Object.keys(SPANS).join(', ');
  throw new IotmpError('IOTMP_ERR_CONFIG', `no aggregation over "${text}": it has to be one of ${names}`);
}

/** How long a span is. */
export function spanLength(name: SpanName): SpanLength {
  return SPANS[name];
}

function isKeyOf<T extends object>(table: T, text: string): text is Extract<keyof T, string> {
  return Object.hasOwn(table, text);
}
