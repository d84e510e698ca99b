import { IotmpError } from '../../errors';

/** Earliest time of a row that is given, in ms since 1970: clocks that were never set show less, and so do seconds. */
const MIN_TS = Date.UTC(2000, 0, 1);
/** Maximum time that a row may be ahead of the server's clock, in ms. */
const MAX_AHEAD_MS = 86_400_000;

/**
 * The fault of a time that a program, a flow or a callback gives to a row; `undefined` for a usable time.
 * @param ts in ms since 1970
 */
export function rowTimeFault(ts: number, now = Date.now()): string | undefined {
  if (ts < MIN_TS) return 'ts: is before the year 2000; it is in ms since 1970';
  return ts > now + MAX_AHEAD_MS ? 'ts: is more than a day ahead' : undefined;
}

/** @throws IotmpError IOTMP_ERR_CONFIG for an unusable time */
export function checkRowTime(ts: number | undefined): void {
  const fault = ts === undefined ? undefined : rowTimeFault(ts);
  if (fault !== undefined) throw new IotmpError('IOTMP_ERR_CONFIG', fault);
}
