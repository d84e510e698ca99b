import { IotmpError } from '../../../errors';
import type { PointTable } from './point-table';

/** How far rows may run ahead of the time, in ms. */
const MAX_AHEAD_MS = 10_000;
/** Maximum number of writers that are remembered: more than the rows of one write. */
const MAX_WRITERS = 10_000;

/**
 * Times for rows that come without one. A bucket keeps one row of a device and time, so two rows in the same millisecond
 * get two times: nothing that was acknowledged takes the place of something else that was. What is remembered only
 * shortens the search; what counts is the table, also after a restart.
 */
export class RowClock {
  readonly #points: Pick<PointTable, 'has'>;
  /** The last time of each writer, the one that wrote last at the end. */
  readonly #last = new Map<string, number>();

  constructor(points: Pick<PointTable, 'has'>) {
    this.#points = points;
  }

  /** Number of writers that are remembered. */
  get size(): number {
    return this.#last.size;
  }

  /**
   * The time of the next row of a device: now, or the next that is free.
   * @param now in ms since 1970
   * @throws IotmpError IOTMP_ERR_BUSY for a device that writes more than a row each millisecond for long
   */
  next(bucket: number, device: string, now: number): number {
    const writer = `${bucket}/${device}`;
    const last = this.#last.get(writer) ?? -Infinity;
    // A clock that was set back has no say over rows of long ago.
    let ts = last >= now && last <= now + MAX_AHEAD_MS ? last + 1 : now;
    while (ts <= now + MAX_AHEAD_MS && this.#points.has(bucket, ts, device)) ts++;
    if (ts > now + MAX_AHEAD_MS) throw new IotmpError('IOTMP_ERR_BUSY', 'more rows than milliseconds');
    this.#last.delete(writer);
    this.#last.set(writer, ts);
    this.#forgetOld(now);
    return ts;
  }

  /** Forgets what is remembered of the table. Has to be called when writes have been undone. */
  forget(): void {
    this.#last.clear();
  }

  /** A writer whose last time is before now need not be remembered. These writers come first, more or less. */
  #forgetOld(now: number): void {
    for (const [writer, ts] of this.#last) {
      if (ts >= now && this.#last.size <= MAX_WRITERS) return;
      this.#last.delete(writer);
    }
  }
}
