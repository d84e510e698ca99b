import { IotmpError } from '../errors';
import { MAX_TS } from './bucket-row';
import { MAX_PAGE, type FullPage, type Page } from './page';

const MAX_NAME = 256;
const DEFAULT_PAGE = 100;

/**
 * A user, device, property or other name that can be kept: 1 to 256 characters of well-formed Unicode. `what` names it in
 * the error. The error of a check is `IOTMP_ERR_CONFIG` where nothing else is said.
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

/** What has to be the case for a write: nothing of that name yet, something, or either. */
export type Expected = 'absent' | 'present' | undefined;

/** Refuses to make what is there (`IOTMP_ERR_CONFLICT`), or to replace what is not (`IOTMP_ERR_NOT_FOUND`). */
export function checkExpected(what: string, name: string, isThere: boolean, expect: Expected): void {
  if (expect === 'present' && !isThere) throw missing(what, name);
  if (expect === 'absent' && isThere) {
    throw new IotmpError('IOTMP_ERR_CONFLICT', `there is a ${what} "${name}" already`);
  }
}

/** Refuses one more where the limit is reached, with `IOTMP_ERR_QUOTA`. */
export function checkQuota(what: string, count: number, limit: number): void {
  if (count < limit) return;
  throw new IotmpError('IOTMP_ERR_QUOTA', `the limit of ${limit} ${what} is reached`);
}

/** The error for a name under which there is nothing. */
export function missing(what: string, name: string): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_FOUND', `no ${what} "${name}"`);
}
