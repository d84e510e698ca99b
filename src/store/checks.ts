import { IotmpError } from '../errors';
import { MAX_TS } from './bucket-row';
import { MAX_PAGE, type FullPage, type Page } from './page';

const MAX_NAME = 256;
const DEFAULT_PAGE = 100;

/**
 * A user, device, property or other name that can be kept: 1 to 256 characters of well-formed Unicode. `what` names it in
 * the error, an `IOTMP_ERR_CONFIG` as with all checks here.
 */
export function checkName(what: string, name: string, maxLength = MAX_NAME): string {
  if (typeof name === 'string' && name.length > 0 && name.length <= maxLength && name.isWellFormed())
    return name;
  throw unusable(`${what} has to be a text of 1 to ${maxLength} characters`);
}

/** A time in ms since 1970 that a Date can hold. */
export function checkTime(what: string, ts: number): number {
  if (Number.isSafeInteger(ts) && ts >= 0 && ts <= MAX_TS) return ts;
  throw unusable(`${what} has to be a whole number of milliseconds since 1970`);
}

/** A whole number in a range. */
export function checkCount(what: string, count: number, min: number, max: number): number {
  if (Number.isSafeInteger(count) && count >= min && count <= max) return count;
  throw unusable(`${what} has to be a whole number of ${min} to ${max}`);
}

/** A page with its defaults. */
export function checkPage(page: Page = {}): FullPage {
  return {
    offset: checkCount('offset', page.offset ?? 0, 0, Number.MAX_SAFE_INTEGER),
    limit: checkCount('limit', page.limit ?? DEFAULT_PAGE, 1, MAX_PAGE),
    search: (page.name ?? '').toLowerCase(),
  };
}

/** The error for an argument that is not usable. */
export function unusable(message: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', message);
}
