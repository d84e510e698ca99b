import { isMap, type Value } from '../types';
import { unusable } from './checks';

/** What a bucket's settings mean for writes of rows. */
export interface BucketRules {
  readonly enabled: boolean;
  /** How old rows may be, in ms. */
  readonly keepMs: number;
  /** How many rows may be. */
  readonly keepCount: number;
}

const DAY_MS = 86_400_000;
/** Months and years as long as the longest: what should be kept is never removed too early. */
const UNIT_MS: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 31 * DAY_MS,
  year: 366 * DAY_MS,
};
const MAX_TAGS = 5;

/** Reads the rules out of settings; `IOTMP_ERR_CONFIG` for what is not usable. `maxRows` is the store's own limit. */
export function bucketRules(settings: Readonly<Record<string, Value>>, maxRows: number): BucketRules {
  const { enabled = true, tags = [], retention = null } = settings;
  if (typeof enabled !== 'boolean') throw unusable('enabled has to be true or false');
  if (!Array.isArray(tags) || tags.length > MAX_TAGS || tags.some((tag) => typeof tag !== 'string')) {
    throw unusable(`tags has to be a list of ${MAX_TAGS} texts at most`);
  }
  if (retention !== null && !isMap(retention)) throw unusable('retention has to be a map');
  return {
    enabled,
    keepMs: keepMs(retention ?? {}),
    keepCount: Math.min(keepCount(retention ?? {}), maxRows),
  };
}

function keepMs({ period = 0, unit = 'days' }: Readonly<Record<string, Value>>): number {
  const count = positive('retention.period', period);
  const name = typeof unit === 'string' ? unit.replace(/s$/, '') : '';
  const ms = Object.hasOwn(UNIT_MS, name) ? UNIT_MS[name] : undefined;
  if (ms === undefined) {
    throw unusable(`retention.unit has to be one of ${Object.keys(UNIT_MS).join('s, ')}s`);
  }
  return count === 0 ? Infinity : count * ms;
}

function keepCount({ count = 0 }: Readonly<Record<string, Value>>): number {
  const rows = Math.floor(positive('retention.count', count));
  return rows === 0 ? Infinity : rows;
}

/** A number of 0 or more; null is 0. */
function positive(what: string, value: Value): number {
  const number = value ?? 0;
  if (typeof number === 'number' && number >= 0 && Number.isFinite(number)) return number;
  throw unusable(`${what} has to be a number of 0 or more`);
}
