import { IotmpError } from '../../errors';

/** How far rows may run ahead of the time, in ms. */
const MAX_AHEAD_MS = 10_000;
/** Writers that are remembered. */
const MAX_WRITERS = 10_000;

/**
 * Times for rows that come without one. A store keeps one row of a device and time, so two rows in the same millisecond
 * get two times: nothing that was acknowledged takes the place of something else that was.
 */
export class RowClock {
  readonly #now: () => number;
  /** The last time of each writer, the one that wrote last at the end. */
  readonly #last = new Map<string, number>();

  /** @param now the time, in ms since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The time of the next row of a writer: now, or 1 ms after its last one.
   * @throws IotmpError IOTMP_ERR_BUSY for one who writes more than a row each millisecond for long
   */
  next(writer: string): number {
    const now = this.#now();
    const last = this.#last.get(writer) ?? 0;
    // A clock that was set back has no say over rows of long ago.
    const ts = last >= now && last <= now + MAX_AHEAD_MS + 1 ? last + 1 : now;
    if (ts > now + MAX_AHEAD_MS) throw new IotmpError('IOTMP_ERR_BUSY', 'more rows than milliseconds');
    this.#last.delete(writer);
    this.#last.set(writer, ts);
    this.#forgetOld(now);
    return ts;
  }

  /** Who last wrote before now needs no memory. Those come first, more or less. */
  #forgetOld(now: number): void {
    for (const [writer, ts] of this.#last) {
      if (ts >= now && this.#last.size <= MAX_WRITERS) return;
      this.#last.delete(writer);
    }
  }
}
